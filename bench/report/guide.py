"""What a newcomer must know to read the board. Part of every leaderboard.md."""

from __future__ import annotations

from bench.stats.verdict import VERDICTS

GUIDE = """\
## How to read this board

**In short.** Read a line of the summary from left to right: how well any model could do on these measurements (*noise
ceiling*), how well one does that counts G and C and nothing else (*GC-only*), and how well the best one does that
sees more (*best*). Where *GC-only* comes near *best*, what was learned is mostly GC content; where it stays near 0,
GC content says little. GC's share is a number of its own, explained below. All figures are correlations of ranks
(Spearman): 1 is the same order, 0 no relation, −1 the reverse order.

**Names.** `kmers[k=6]` + `lightgbm` is a *featurizer*, what a model is shown of a sequence, and a *model*, what
learns from it. A *target* is one measured quantity of a task. A *split* says which rows a model learns from
(training), which it is tuned on (validation) and which it is judged by (test): `holdout[valid=chrX,test=chr2L]` is
one *fold* with these chromosomes held out, `chromosome-kfold[k=5]` five folds, in each of which other whole
chromosomes are test rows.

**Score.** The Spearman correlation (ρ) of predicted with measured activity on test rows: sequences on chromosomes
that no model saw. It is computed *within* each fold and then averaged over the folds. It is never pooled over
folds: predictions of two folds come from two fits, their levels differ, and a pooled figure would mix that
difference into the score. Interval: 95 %, from a bootstrap that redraws whole *loci* (overlapping or related
sequences stay together), the same draws for every row of a table and for all targets of a task on one split.

**Noise ceiling.** Measurements are noisy, so not even a perfect model reaches 1. From k replicates with mean
correlation r, the mean of the replicates has reliability ρₖ = k·r / (1 + (k − 1)·r), and no prediction is expected to
correlate with it better than √ρₖ: that is the noise ceiling. *% of noise ceiling* is score / ceiling. It takes the
replicates as equally good; GC's share does not. Replicates that share one DNA library share its noise, so the ceiling
*given log DNA* is shown too. With one replicate, or replicates that do not correlate, the ceiling and every figure
that needs it are *n/a* (never 1).

**GC's share, with two denominators.** *Share of explainable*: of what any model could predict of these measurements.
It is the *product form*: ρ of the GC-only prediction with one replicate times its ρ with another, a mean over pairs,
over the mean ρ between replicates. Each replicate's own noise cancels, so that replicates need not be equally good.
The figures stand above each table: .38 × .41 / .80 = 19 %. Its sign is kept: below 0, the prediction points the wrong
way on test rows, or replicates disagree on its direction. (Score / noise ceiling)², the *mean form*, assumes equal
replicates; it is shown where it differs. *Share of learned* is R²(G) / R²(G,D), variance explained by GC alone over
that by GC and the best model together. The two can differ tenfold, so each number here names its denominator.

**Its interval** is 95 %, from the draws of loci that every score has. Where whole chromosomes as the unit give a much
wider one, that is printed next to it as *by chromosome*. Below 20 loci no interval can be trusted: the figures stay,
and no sentence, letters or verdict are printed.

**At least.** Where most values are tied, as zeros are, or lie in two modes, the noise is not of one size and the
product form falls short of the truth. It is then a lower bound, *at least*.

**May be the library's.** GC changes how well a sequence is made, amplified and counted. Where GC goes with DNA
counts, barcodes, missing values or the activity of designed controls (|ρ| of .1 or more, interval off 0), part of its
share may be the library's; the share with DNA held fixed stands above the table. The *robustness value* says how
strong a bias would have to be to bring the share to 0.

**Unique to GC, and shared.** GC content is correlated with real sequence features (CpG islands, GC-rich motifs).
U_G is what only the GC-only model explains, U_D what only the other explains, C what both do. C cannot be assigned
to either, so what GC may own is a range: *between* U_G and U_G + C. The ends of the range are no confidence interval;
its own, printed in words, holds a truth anywhere in the range with 95 % (Imbens and Manski).

**GC-only.** Rows marked GC-only see nothing but GC content (overall or in windows). The one that the table compares
with was chosen on validation rows. *Gain over GC* is the paired difference to it, with its interval.

**Best** is the model that sees more than GC content with the highest validation score, *best deep* likewise among
the models that take the sequence itself. Chosen on validation rows, neither has to lead on test rows.

**Given GC.** Partial Spearman given GC (spline): the correlation left after a smooth curve of GC is removed from
both prediction and measurement. Near 0: the model ranks sequences by GC. A straight line would not do: it leaves a
hump-shaped GC effect in place.

**Dinucleotide-shuffled.** The score of the same fitted model when the bases of each test row are shuffled so that
every count of two neighbouring bases stays (ten Eulerian shuffles per row, predictions averaged; at most 10,000
rows per fold). What survives is composition: G, C, CpG and the like. What is lost took the order of the bases. A
motif leaves its neighbouring bases behind, so in short rows a reader of motifs keeps part of its score too.

**GC held fixed.** Under each table the best models once more, where GC cannot help: *given GC* as above; *within GC
bins* of 50 rows or more; *AUROC, GC-matched*: high told from low activity (split at the median) on rows chosen so
that both have the same GC, 0.5 for whatever follows from GC. Then where little else can: *dinucleotide-shuffled* as
above; *GC-only null*: Spearman with measurements permuted within GC bins, which keeps how they depend on GC and
nothing else. *Unadjusted* is the score itself.

**Binary targets** are scored by *AUROC*, the chance that a positive row is ranked above a negative one (0.5 is
chance), and by *average precision* (chance is the prevalence), within folds like every score. *Attainable*: what an
oracle would reach on labels as noisy as two replicates say they are, under the assumption that is named above the
table. *GC-matched*: AUROC among rows of the same GC content, where GC tells nothing. There is no share of an
explainable variance: the noise of a label is not of one size.

**How each was fitted**, folded under each table: Spearman on the rows that were fitted, on those that chose
(validation) and on test rows; training far above the other two is overfitting. *time* and *device*: of features,
fitting and predicting, all folds (*cpu × 3*: on the rows of three workers together). *folds*: a hash of every row's
part in every fold; rows with one hash were learned and judged on the same sequences. *n*, next to the scores: test
rows.

**Letters, not ranks.** A compact letter display: rows that share a letter are not told apart, rows that share none
are (paired differences, Holm's correction over all pairs). A row may have several letters.

**Baselines.** *Null model*: a constant prediction. It puts nothing in order, so it has no correlation: n/a, which
counts as no skill. *Confounders*: models that see no base at all, only length, input DNA or barcodes. What they
reach says nothing about the sequence.

**Seeds.** Scores of models with random starts are averaged over seeds; ± is the standard deviation over seeds.

**Strata.** A pooled correlation can be made of differences between groups alone (Simpson's paradox): where figures
within groups tell another story than the pooled one, a warning stands under the table.

**Effective n** is n corrected for the likeness of rows of one locus: n / (1 + (m − 1)·ICC), with m rows per locus.

**Verdict.** Is a model only counting G and C? *ρ(prediction, GC)* says how far its predictions follow GC. The word
follows from its score, its partial Spearman given GC, its score on dinucleotide shuffles, and *beyond GC*: the
fraction, 0 to 1, of what it explains that GC does not explain as well. Each has its interval:

"""


def guide() -> str:
    """The section "How to read this board", with the verdicts as ``bench.stats.verdict`` defines them."""
    return GUIDE + "".join(f"- *{verdict}*: {meaning}.\n" for verdict, meaning in VERDICTS.items())

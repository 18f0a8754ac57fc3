"""A plugin file to write, with the name, the code and the place that a test gives it."""

SOURCE = '''
import numpy as np
from bench import Featurizer

class Mine(Featurizer):
    """Mine."""

    name = "NAME"

    def __init__(self, add: int = 1) -> None:
        self.add = add

    def transform(self, sequences):
        """Lengths."""
        # a comment
        return (sequences.lengths[:, None] + self.add).astype(np.float32)
'''


def write(path, name="mine", source=SOURCE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source.replace("NAME", name))
    return path

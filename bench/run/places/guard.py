"""The first process of a child: it runs no third-party code, waits, and ends whatever the other one started.

Run as a script, before anything heavy is imported: it forks, so it must be a process of one thread. The other process
fits (`bench.run.places.inside`), in a session of its own. Once that has ended, or the run is gone (the control pipe
closes), every process below is killed: helpers, forks, daemons. On Linux those whose parent has ended come to the guard
as to a father (a "subreaper"); elsewhere they are found while their parents live.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys
import time

#: From <sys/prctl.h>.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
#: Looks at the process tree before it is given up, and seconds between two.
LOOKS, PAUSE = 250, 0.02
#: What a person, a shell or a queueing system sends: the run decides what it means.
DEAF = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main(setup: dict) -> None:
    """Fork and guard."""
    sys.path[:] = setup["path"]
    control = socket.socket(fileno=setup["control"])
    os.set_inheritable(setup["control"], False)
    os.set_inheritable(setup["data"], False)
    for each in DEAF:
        signal.signal(each, signal.SIG_IGN)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    worker = os.fork()
    if worker == 0:
        control.close()
        _fit(setup, guard)
    os.close(setup["data"])
    status = _until_it_ends(worker, control)
    if status is not None:
        with contextlib.suppress(OSError):
            control.sendall(struct.pack(">i", os.waitstatus_to_exitcode(status)))
    _end_all(worker)
    os._exit(0)


def _fit(setup: dict, guard: int) -> None:
    """The process that runs what is asked."""
    status = 70
    try:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it ended before that took hold
            os._exit(1)
        for each in DEAF[1:]:
            signal.signal(each, signal.SIG_DFL)
        from bench.run.places.inside import serve

        status = serve(setup["data"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(status)


def _prctl(option: int, value: int) -> None:
    """Linux alone has it; elsewhere nothing happens."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _until_it_ends(worker: int, control: socket.socket) -> int | None:
    """Wait for the process that fits; its status, or None where the run is gone or done with it."""
    watched: list = [control]
    patience: float | None = 0.1
    with contextlib.suppress(AttributeError, OSError):
        watched.append(os.pidfd_open(worker))
        patience = 1.0  # orphans that ended are taken away once a second
    while True:
        ready, _, _ = select.select(watched, [], [], patience)
        if control in ready:
            return None
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if process == worker:
                return status
            if process == 0:
                break


def _end_all(worker: int) -> None:
    """Kill every process below this one, until none is left."""
    import psutil

    me = psutil.Process()
    for _ in range(LOOKS):
        with contextlib.suppress(OSError):
            os.killpg(worker, signal.SIGKILL)
        for each in me.children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):
                each.kill()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not me.children(recursive=True):
            return
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

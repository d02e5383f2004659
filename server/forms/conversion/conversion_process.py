"""The conversion of an author's spreadsheet in a process of its own, ended when it takes too long or too much memory.

A workbook of a few kilobytes can ask for minutes of work, and no thread can be stopped. One process is forked for each
form, from one that has imported what conversion needs and does nothing else.
"""

import math
import multiprocessing
import os
import resource
from multiprocessing.connection import Connection
from typing import Final

import structlog

from server.forms.conversion.findings import error
from server.forms.conversion.xlsform import Conversion, Upload, convert_upload
from server.platform.own_threads import OwnThreads

#: Of work; on a machine that has others to serve a form may wait several times as long.
LIMIT_S: Final = 30.0
WAITED: Final = 4
#: Of addresses, of which a process uses a third.
MEMORY_BYTES: Final = 3_000_000_000
#: So many forms at a time; others wait.
AT_ONCE: Final = 2
#: Others go first.
NICE: Final = 5
#: What a conversion imports once it needs it: half a second, which each forked process would take again.
NEEDED: Final = (__name__, "openpyxl.reader.excel", "pyxform.xls2xform", "xlrd")

log = structlog.get_logger(__name__)

_processes = multiprocessing.get_context("forkserver")
_waiting = OwnThreads("forms", AT_ONCE)


def prepare(program: str) -> None:
    """Have conversions forked from a process that has imported all they need; nothing runs before the first.

    `program` is the module of the main program: each process that is forked looks for it.
    """
    _processes.set_forkserver_preload([program, *NEEDED])


async def converted(upload: Upload, limit_s: float | None = None) -> Conversion:
    """Return what `convert_upload` does, or that it took more than a form may take."""
    return await _waiting.run(_in_process, upload, LIMIT_S if limit_s is None else limit_s)


def _in_process(upload: Upload, limit_s: float) -> Conversion:
    ours, theirs = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_convert, args=(theirs, upload, math.ceil(limit_s)), daemon=True)
    process.start()
    theirs.close()
    try:
        if ours.poll(WAITED * limit_s):
            done: Conversion = ours.recv()
            return done
        log.warning("form_took_too_long", limit_s=limit_s)
    except EOFError:
        process.join()
        log.warning("form_ended_its_process", exit_code=process.exitcode)
    finally:
        process.kill()
        process.join()
        ours.close()
    return Conversion((error("too_much_work", seconds=round(limit_s)),))


def _convert(answer: Connection, upload: Upload, cpu_s: int) -> None:
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answer.send(convert_upload(upload))

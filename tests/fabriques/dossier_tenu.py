"""Un dossier tenu par un autre processus, comme le ferait une seconde exécution du programme."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RACINE = Path(__file__).parents[2]

#: Tient le verrou d'un dossier dans un autre processus, jusqu'à ce qu'on le tue.
SCRIPT_TENIR = """
import sys, time
from pathlib import Path
from donnees_geo.verrou import verrouiller

with verrouiller(Path(sys.argv[1]), "occupé"):
    print("TENU", flush=True)
    time.sleep(120)
"""


@contextmanager
def dossier_tenu(dossier: Path) -> Iterator[subprocess.Popen[str]]:
    """Faire tenir un dossier ; le processus est tué à la sortie, s'il ne l'a pas été avant."""
    processus = subprocess.Popen(
        [sys.executable, "-c", SCRIPT_TENIR, str(dossier)],
        cwd=RACINE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert processus.stdout is not None
        assert processus.stdout.readline().strip() == "TENU"
        yield processus
    finally:
        processus.kill()
        processus.wait(30)
        processus.stdout.close()

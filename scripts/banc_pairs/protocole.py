"""Ce que partagent les mesures : chronomètre, mémoire, échange par fichiers.

Chaque mesure tourne dans son propre processus, avec l'interpréteur de son moteur. Elle reçoit un
fichier ``travail.json`` et un fichier où écrire ses résultats. Bibliothèque standard seulement :
ce module est lu par tous les environnements (Python 3.11 et plus récents).
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any


class Memoire:
    """Plus grande mémoire résidente prise depuis la création, au-dessus de ce qui l'était déjà.

    Sous Linux, le noyau tient ce maximum (``VmHWM``) et sait le remettre à zéro ; ``getrusage``,
    lui, hérite du processus parent. Sur les autres systèmes, la mesure n'est pas faite (NaN).
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.depart = self._lire("VmRSS")

    @staticmethod
    def _lire(champ: str) -> float:
        try:
            lignes = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return float("nan")
        kio = next(ligne.split()[1] for ligne in lignes if ligne.startswith(f"{champ}:"))
        return float(kio) / 1024.0

    @property
    def prise_mio(self) -> float:
        """Plus grande mémoire prise depuis la création, Mio."""
        return self._lire("VmHWM") - self.depart


def chronometrer(
    fonction: Callable[[Any], Any], cas: list[Any], *, repetitions: int = 1, chauffe: int = 1
) -> tuple[float, list[Any]]:
    """Temps médian d'un appel, s, et les résultats de la dernière répétition.

    Les premiers ``chauffe`` cas sont joués une fois avant le chronomètre (compilation, caches).
    """
    for un_cas in cas[:chauffe]:
        fonction(un_cas)
    durees, resultats = [], []
    for _ in range(repetitions):
        resultats = []
        for un_cas in cas:
            debut = time.perf_counter()
            resultats.append(fonction(un_cas))
            durees.append(time.perf_counter() - debut)
    return statistics.median(durees), resultats


def mesure(travail: str, moteur: str, secondes: float, **autres: Any) -> dict[str, Any]:
    """Une ligne de résultat."""
    return {"travail": travail, "moteur": moteur, "secondes": secondes, **autres}


def version(paquet: str) -> str:
    """Version installée d'un paquet, vide s'il n'est pas installé ici."""
    try:
        return metadata.version(paquet)
    except metadata.PackageNotFoundError:
        return ""


def executer(fonction: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """Lire le travail nommé par la ligne de commande, l'exécuter et écrire ses mesures."""
    travail = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    resultats = fonction(travail)
    Path(sys.argv[2]).write_text(json.dumps(resultats), encoding="utf-8")

"""Environnements Python des pairs : les trouver, les créer, savoir ce qui y manque."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.environnement import RACINE, Environnement, dire, installer

DOSSIER_PAIRS: Final = RACINE / ".venv-pairs"
DOSSIER_PAIRS_312: Final = RACINE / ".venv-pairs-312"
#: Versions de Python que pyvalhalla et ferrobus servent, de la plus récente à la plus ancienne.
VERSIONS_312: Final = ("3.14", "3.13", "3.12")


@dataclass(frozen=True)
class Interpretes:
    """Interpréteurs où tournent les mesures.

    Attributes
    ----------
    nous
        Le nôtre.
    pairs, pairs_312
        Ceux des pairs, ``None`` s'ils ne sont pas installés.
    """

    nous: Path
    pairs: Path | None
    pairs_312: Path | None

    def pour(self, module: str, *, recent: bool = False) -> Path | None:
        """Interpréteur où ``module`` s'importe, ``None`` s'il n'y en a pas.

        Un pair qui se trouve déjà dans notre environnement (outil d'essai) y est mesuré.
        """
        candidats = [self.pairs_312] if recent else [self.pairs, self.nous]
        for python in candidats:
            if python is not None and module_present(python, module):
                return python
        return None


def module_present(python: Path, module: str) -> bool:
    """Vrai si ``python`` trouve ``module``."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def trouver_interpretes() -> Interpretes:
    """Chercher les environnements déjà créés."""
    pairs, recents = (Environnement(d).python for d in (DOSSIER_PAIRS, DOSSIER_PAIRS_312))
    return Interpretes(
        Path(sys.executable),
        pairs if pairs.exists() else None,
        recents if recents.exists() else None,
    )


def chercher_python_312() -> Path | None:
    """Un Python 3.12 ou plus récent : le nôtre, celui du chemin, ou un de pyenv."""
    if sys.version_info >= (3, 12):
        return Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidats = [chemin for v in VERSIONS_312 if (chemin := shutil.which(f"python{v}"))]
    for v in reversed(VERSIONS_312):  # le plus ancien qui convienne a le plus de paquets prêts
        candidats += [str(p) for p in sorted(pyenv.glob(f"{v}.*/bin/python"))]
    for candidat in candidats:
        test = [candidat, "-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"]
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            return Path(candidat)
    return None


def lire_extra(nom: str) -> list[str]:
    """Exigences d'un extra de ``pyproject.toml``."""
    projet = tomllib.loads((RACINE / "pyproject.toml").read_text(encoding="utf-8"))
    exigences: list[str] = projet["project"]["optional-dependencies"][nom]
    return exigences


def installer_pairs() -> None:
    """Créer les environnements des pairs ; ce qui ne peut pas l'être est dit.

    Raises
    ------
    ErreurInstallation
        Si pip échoue.
    """
    _installer(Path(sys.executable), DOSSIER_PAIRS, lire_extra("pairs"))
    recent = chercher_python_312()
    if recent is None:
        dire("Aucun Python 3.12 ou plus récent trouvé : pyvalhalla et ferrobus ne seront pas là.")
        return
    _installer(recent, DOSSIER_PAIRS_312, [*lire_extra("pairs-312"), "numpy"])


def _installer(python: Path, dossier: Path, exigences: list[str]) -> None:
    dire(f"Installation de {', '.join(exigences)} dans {dossier.name}…")
    subprocess.run([python, "-m", "venv", "--clear", dossier], check=True)
    installer(Environnement(dossier).python, exigences)

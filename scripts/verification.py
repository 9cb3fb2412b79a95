"""Enchaînement des vérifications : ruff, mypy, pytest, et le navigateur qu'elles demandent."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from scripts.actifs import assurer_actifs
from scripts.environnement import ErreurInstallation, assurer_environnement, dire, lancer

#: Paquets Debian des essais du visualiseur : un navigateur et une police à accents.
PAQUETS_NAVIGATEUR: Final = ("chromium", "fonts-dejavu-core")
NAVIGATEURS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def navigateur_a_installer() -> bool:
    """Vrai si les essais du visualiseur manquent d'un navigateur et que l'on peut l'installer.

    On n'installe de paquets système que sur une machine de vérification (``CI=true``), sous Debian
    et en administrateur ; ailleurs, les essais concernés se disent ignorés.
    """
    if any(shutil.which(nom) for nom in NAVIGATEURS):
        return False
    administrateur = hasattr(os, "geteuid") and os.geteuid() == 0
    en_verification = os.environ.get("CI", "").lower() == "true"
    return administrateur and en_verification and shutil.which("apt-get") is not None


def installer_navigateur() -> None:
    """Installer Chromium par apt ; un échec est dit, et les essais du visualiseur s'ignorent."""
    dire("Installation de Chromium pour les essais du visualiseur…")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    for commande in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PAQUETS_NAVIGATEUR],
    ):
        if lancer(commande) != 0:
            dire(f"« {' '.join(commande)} » a échoué : essais du visualiseur ignorés.")
            return


def etapes(python: Path, arguments: list[str]) -> list[tuple[str, list[str]]]:
    """Vérifications à enchaîner ; avec des arguments, seulement pytest sur ce qu'ils désignent."""
    module = [str(python), "-m"]
    pytest = [*module, "pytest", *arguments]
    if arguments:
        return [("Essais", pytest)]
    return [
        ("Style (ruff check)", [*module, "ruff", "check", "."]),
        ("Mise en forme (ruff format)", [*module, "ruff", "format", "--check", "."]),
        ("Types (mypy)", [*module, "mypy"]),
        ("Essais (pytest)", [*pytest, "-n", "2", "--dist", "loadfile"]),
    ]


def principal(arguments: list[str]) -> int:
    """Tout vérifier, sans s'arrêter à la première faute ; 0 si tout passe.

    Les essais viennent en dernier : la dernière ligne écrite est le bilan de pytest.
    """
    try:
        python = assurer_environnement(developpement=True).python
        assurer_actifs(python)
    except ErreurInstallation as echec:
        print(echec, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrompu ; relancez la même commande pour reprendre.", file=sys.stderr)
        return 130
    if navigateur_a_installer():
        installer_navigateur()
    codes: list[int] = []
    for titre, commande in etapes(python, arguments):
        if codes and any(codes):
            dire(f"(déjà en défaut : {sum(map(bool, codes))} vérification(s))")
        dire(titre)
        codes.append(lancer(commande))
        if codes[-1] == 130:
            return 130
    return next((code for code in codes if code), 0)

"""Création de l'environnement Python du projet, avec la seule bibliothèque standard.

Les deux lanceurs (``demarrer.py`` et ``tester.py``) s'en servent avant que la moindre dépendance
soit installée. L'environnement ``.venv`` est refait d'après un fichier de verrou (versions et
empreintes exactes) ; une marque dans ``.venv`` évite de le refaire quand le verrou n'a pas changé.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RACINE: Final = Path(__file__).resolve().parent.parent
VERROU_EXECUTION: Final = RACINE / "requirements.lock"
VERROU_DEVELOPPEMENT: Final = RACINE / "requirements-dev.lock"
#: Place que prennent l'environnement et les fichiers provisoires de son installation, octets.
PLACE_REQUISE: Final = 2 * 1024**3


class ErreurInstallation(Exception):
    """L'environnement n'a pas pu être créé ; le texte dit pourquoi et que faire."""


@dataclass(frozen=True)
class Environnement:
    """Un environnement Python du projet.

    Attributes
    ----------
    dossier
        Dossier de l'environnement (``.venv`` à la racine du projet).
    """

    dossier: Path

    @property
    def python(self) -> Path:
        """Interpréteur de l'environnement, selon le système."""
        if os.name == "nt":
            return self.dossier / "Scripts" / "python.exe"
        return self.dossier / "bin" / "python"

    @property
    def commande(self) -> Path:
        """Commande ``demi-heure`` de l'environnement."""
        return self.python.with_name("demi-heure.exe" if os.name == "nt" else "demi-heure")

    @property
    def marque(self) -> Path:
        """Fichier qui garde l'empreinte des verrous déjà installés, une par ligne."""
        return self.dossier / "verrous_installes.txt"


def dire(message: str) -> None:
    """Écrire une étape sur la sortie d'erreur, qui reste libre de tout résultat."""
    print(f"» {message}", file=sys.stderr, flush=True)


def empreinte_verrou(verrou: Path, projet: Path) -> str:
    """Empreinte SHA-256 d'un verrou et de la description du projet.

    La version de Python en fait partie : changer d'interpréteur refait l'environnement.

    Raises
    ------
    ErreurInstallation
        Si le verrou ou ``pyproject.toml`` manque (dépôt incomplet).
    """
    somme = hashlib.sha256(f"{sys.version_info[0]}.{sys.version_info[1]}".encode())
    for fichier in (verrou, projet):
        try:
            # Les fins de ligne dépendent du système où le dépôt est extrait.
            somme.update(fichier.read_bytes().replace(b"\r\n", b"\n"))
        except FileNotFoundError as absent:
            raise ErreurInstallation(
                f"Le fichier {fichier.name} manque dans {fichier.parent} : le dépôt est incomplet. "
                "Téléchargez-le de nouveau en entier."
            ) from absent
    return somme.hexdigest()


def est_installe(environnement: Environnement, empreinte: str) -> bool:
    """Vrai si l'environnement existe et que ce verrou y a été installé jusqu'au bout."""
    try:
        deja = environnement.marque.read_text(encoding="utf-8").split()
    except OSError:
        return False
    return environnement.python.exists() and empreinte in deja


def assurer_environnement(*, developpement: bool, racine: Path = RACINE) -> Environnement:
    """Rendre l'environnement du projet, en le créant ou en le mettant à jour s'il le faut.

    Parameters
    ----------
    developpement
        Installer aussi les outils d'essai (ruff, mypy, pytest…).
    racine
        Dossier du projet.

    Returns
    -------
    Environnement
        Environnement où tout le verrou est installé, et le projet lui-même (mode éditable).

    Raises
    ------
    ErreurInstallation
        Verrou absent, module ``venv`` incomplet, réseau coupé, disque plein…
    """
    noms = [VERROU_EXECUTION.name] + ([VERROU_DEVELOPPEMENT.name] if developpement else [])
    projet = racine / "pyproject.toml"
    empreintes = [empreinte_verrou(racine / nom, projet) for nom in noms]
    environnement = Environnement(racine / ".venv")
    if est_installe(environnement, empreintes[-1]):
        return environnement
    _exiger_place(racine)
    _creer(environnement)
    # Le verrou de développement contient celui d'exécution : un seul passage suffit.
    dire(f"Installation des dépendances ({noms[-1]}) ; quelques minutes la première fois…")
    installer(environnement.python, ["--require-hashes", "-r", str(racine / noms[-1])])
    dire("Installation du projet…")
    installer(environnement.python, ["--no-deps", "--no-build-isolation", "-e", str(racine)])
    environnement.marque.write_text("\n".join(empreintes) + "\n", encoding="utf-8")
    return environnement


def _exiger_place(racine: Path) -> None:
    libre = shutil.disk_usage(racine).free
    if libre < PLACE_REQUISE:
        gibioctets = f"{libre / 1024**3:.1f}".replace(".", ",")
        raise ErreurInstallation(
            f"Le disque de {racine} n'a plus que {gibioctets} Gio libres ; l'installation "
            f"en demande {PLACE_REQUISE / 1024**3:.0f}. Libérez de la place, puis relancez la même "
            "commande."
        )


def _creer(environnement: Environnement) -> None:
    """Créer le dossier de l'environnement, ou le refaire s'il vient d'un autre Python."""
    if environnement.python.exists() and _meme_python(environnement):
        environnement.marque.unlink(missing_ok=True)
        return
    dire(f"Création de l'environnement {environnement.dossier}…")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(
            environnement.dossier
        )
    except (OSError, subprocess.CalledProcessError) as cause:
        raise ErreurInstallation(
            f"L'environnement {environnement.dossier} n'a pas pu être créé : {cause}.\n"
            "Sous Debian ou Ubuntu, installez d'abord le paquet python3-venv ; sinon, vérifiez la "
            "place libre sur le disque et le droit d'écrire dans ce dossier."
        ) from cause


def _meme_python(environnement: Environnement) -> bool:
    """Vrai si l'environnement répond et a la même version mineure que l'interpréteur courant."""
    try:
        reponse = subprocess.run(
            [environnement.python, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return reponse.stdout.split() == [str(nombre) for nombre in sys.version_info[:2]]


def installer(python: Path, arguments: list[str]) -> None:
    """Lancer ``pip install`` dans un environnement.

    Raises
    ------
    ErreurInstallation
        Si pip échoue ; ses dernières lignes sont jointes.
    """
    commande = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    resultat = subprocess.run(
        commande + arguments, capture_output=True, text=True, errors="replace", check=False
    )
    if resultat.returncode != 0:
        raise ErreurInstallation(
            f"L'installation a échoué (pip, code {resultat.returncode}) :\n"
            f"{resumer_pip(resultat.stderr)}\n"
            "Vérifiez la connexion au dépôt de paquets Python (ou le serveur mandataire) et la "
            "place libre sur le disque, puis relancez la même commande."
        )


def resumer_pip(sortie: str) -> str:
    """Dernières lignes utiles de pip, sans la litanie de ses essais quand le réseau manque."""
    lignes = sortie.strip().splitlines()
    utiles = [ligne for ligne in lignes if not ligne.startswith("WARNING: Retrying")]
    if len(utiles) < len(lignes):
        utiles.append("(le dépôt de paquets ne répond pas)")
    return "\n".join(utiles[-12:])


def lancer(commande: list[str], *, racine: Path = RACINE) -> int:
    """Lancer une commande à la racine du projet et rendre son code de retour.

    Ctrl-C est laissé à la commande, qui termine proprement ; le lanceur rend alors 130.
    """
    processus = subprocess.Popen(commande, cwd=racine)
    try:
        return processus.wait()
    except KeyboardInterrupt:
        processus.wait()
        return 130

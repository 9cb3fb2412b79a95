"""Enchaînement du premier démarrage : installer, écrire la démonstration, préparer, ouvrir."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.actifs import assurer_actifs
from scripts.environnement import RACINE, ErreurInstallation, assurer_environnement, dire, lancer


def lire_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Lire les options du lanceur."""
    analyseur = argparse.ArgumentParser(
        prog="demarrer.py",
        description="Installe Demi-heure, prépare le territoire fictif de démonstration et ouvre "
        "le visualiseur.",
        add_help=False,
    )
    analyseur.add_argument("-h", "--aide", action="help", help="afficher cette aide")
    analyseur.add_argument(
        "--preparer-seulement",
        action="store_true",
        help="installer, préparer et diagnostiquer, sans ouvrir le visualiseur",
    )
    analyseur.add_argument(
        "--taille",
        choices=("normale", "petite"),
        default="normale",
        help="taille du territoire de démonstration (normale par défaut)",
    )
    return analyseur.parse_args(arguments)


def etapes(python: Path, racine: Path, taille: str) -> list[tuple[str, list[str]]]:
    """Commandes à enchaîner avant le visualiseur, chacune avec ce qu'elle fait.

    Le territoire n'est écrit que s'il est absent ; la préparation ne refait rien quand ses sources
    n'ont pas changé.
    """
    suffixe = "" if taille == "normale" else "-petite"
    sources = racine / "donnees" / f"demo{suffixe}"
    prepare = racine / "donnees" / f"demo{suffixe}-prepare"
    resultats = racine / "resultats" / f"demo{suffixe}"
    base = [str(python), "-m", "scripts.cli"]
    suite = []
    if not (sources / "territoire.toml").exists():
        ecrire = [*base, "demo", "--sortie", str(sources), "--taille", taille, "--remplacer"]
        suite.append(("Écriture du territoire fictif de démonstration…", ecrire))
    preparer = [*base, "preparer", str(sources / "territoire.toml"), "--sortie", str(prepare)]
    suite.append(("Préparation du territoire…", preparer))
    diagnostiquer = [*base, "diagnostiquer", str(prepare), "--sortie", str(resultats)]
    suite.append(("Diagnostic de l'accès aux services…", diagnostiquer))
    return suite


def est_diagnostique(commande: list[str], parametres: Path) -> bool:
    """Vrai si le diagnostic que ferait la commande est déjà là, et plus récent que ses sources.

    Parameters
    ----------
    commande
        ``… diagnostiquer TERRITOIRE --sortie RÉSULTATS``.
    parametres
        Dossier des hypothèses.
    """
    prepare, resultats = Path(commande[4]), Path(commande[6])
    fait = resultats / "indicateurs.csv"
    sources = [prepare / "territoire.json", *parametres.glob("*.toml")]
    try:
        return all(source.stat().st_mtime <= fait.stat().st_mtime for source in sources)
    except OSError:  # rien n'a encore été calculé
        return False


def principal(arguments: list[str] | None = None) -> int:
    """Installer, préparer et ouvrir ; rendre le code de retour de la première étape fautive."""
    options = lire_arguments(arguments)
    try:
        environnement = assurer_environnement(developpement=False)
        python = environnement.python
        assurer_actifs(python)
    except ErreurInstallation as echec:
        print(echec, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrompu ; relancez la même commande pour reprendre.", file=sys.stderr)
        return 130
    suite = etapes(python, RACINE, options.taille)
    for titre, commande in suite:
        if "diagnostiquer" in commande and est_diagnostique(commande, RACINE / "parametres"):
            continue
        dire(titre)
        code = lancer(commande)
        if code != 0:
            return code
    prepare = suite[-1][1][4]
    if options.preparer_seulement:
        dire(f"Prêt. Pour ouvrir le visualiseur : {environnement.commande} app {prepare}")
        return 0
    dire("Ouverture du visualiseur (Ctrl-C pour le fermer)…")
    return lancer([str(python), "-m", "scripts.cli", "app", prepare])

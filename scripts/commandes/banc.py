"""Commande ``banc`` : mesurer ce programme et ses pairs dans la même séance."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from donnees_geo.erreurs import ErreurProjet
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.analyse import fichier_sortie
from scripts.commandes.sorties import exiger_dossier_parent

if TYPE_CHECKING:
    from scripts.banc import Absence, Tache
    from scripts.banc_donnees import TailleReseau


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "banc",
        help="comparer les temps de calcul à ceux des autres outils",
        description="Mesure ce programme et ses pairs sur les mêmes données, dans la même séance.\n"
        "Seuls les rapports entre moteurs d'une même séance sont solides.",
    )
    analyseur.add_argument(
        "--dossier", type=Path, metavar="T", help="territoire préparé dont mesurer le diagnostic"
    )
    analyseur.add_argument(
        "--extrait",
        type=Path,
        metavar="F.osm.pbf",
        help="extrait OSM à charger ; ses rues servent aussi sans --dossier",
    )
    analyseur.add_argument(
        "--crs", metavar="EPSG:N", help="CRS métrique de l'extrait (par défaut celui du territoire)"
    )
    analyseur.add_argument(
        "--sortie",
        type=fichier_sortie(".csv"),
        metavar="F.csv",
        help="historique auquel ajouter les mesures",
    )
    analyseur.add_argument("--rapide", action="store_true", help="moins de répétitions")
    analyseur.add_argument(
        "--installer-pairs",
        action="store_true",
        help="installer d'abord les pairs dans leurs propres environnements",
    )
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Préparer les données communes, mesurer, montrer et noter."""
    from scripts.banc import ajouter_au_csv, ajouter_rapports, composer_taches, mesurer
    from scripts.banc_donnees import ecrire_donnees
    from scripts.banc_environnements import installer_pairs, trouver_interpretes
    from scripts.environnement import ErreurInstallation

    if options.sortie is not None:
        exiger_dossier_parent(options.sortie)
    if options.installer_pairs:
        try:
            installer_pairs()
        except ErreurInstallation as echec:
            raise ErreurProjet(str(echec)) from echec
    with (
        tempfile.TemporaryDirectory(prefix="banc-") as nom,
        progression("Banc d'essai", montrer=options.montrer) as avancer,
    ):
        dossier = Path(nom)
        reseau, crs = lire_reseau(options)
        taille = ecrire_donnees(reseau, dossier, origines=5 if options.rapide else 20)
        extrait = options.extrait.resolve() if options.extrait else None
        territoire = options.dossier.resolve() if options.dossier else None
        taches = composer_taches(
            dossier, extrait, crs, rapide=options.rapide, territoire=territoire
        )

        def annoncer(tache: Tache) -> None:
            avancer(f"{tache.script}, {tache.moteur}", taches.index(tache) / len(taches))

        mesures, absences = mesurer(taches, trouver_interpretes(), dossier, annoncer)
    mesures = ajouter_rapports(mesures)
    montrer(mesures, absences, taille)
    if options.sortie is not None:
        ajouter_au_csv(options.sortie, mesures, taille)
        print(f"Mesures ajoutées à {options.sortie}")
    return 0


def lire_reseau(options: argparse.Namespace) -> tuple[Any, str]:
    """Réseau à mesurer et son CRS : celui du territoire, sinon celui de l'extrait.

    Raises
    ------
    ErreurProjet
        Ni territoire ni extrait, ou extrait sans CRS.
    """
    from donnees_geo.osm import lire_osm
    from donnees_geo.territoire import charger_territoire

    if options.dossier is not None:
        territoire = charger_territoire(options.dossier)
        return territoire.reseau, options.crs or territoire.crs
    if options.extrait is None or options.crs is None:
        raise ErreurProjet(
            "Le banc d'essai n'a rien à mesurer.",
            attendu="--dossier TERRITOIRE, ou --extrait F.osm.pbf avec --crs EPSG:N",
            conseil="Par exemple : demi-heure demo --sortie donnees/demo, puis preparer, puis "
            "demi-heure banc --dossier donnees/demo-prepare",
        )

    return lire_osm(options.extrait, options.crs, None, avec_fond=False).reseau, options.crs


def montrer(
    mesures: Sequence[dict[str, Any]], absences: Iterable[Absence], taille: TailleReseau
) -> None:
    """Écrire le tableau des mesures, les exigences et les absents."""
    from scripts.banc import LIBELLES, juger

    copies = f" ({taille.copies} exemplaires juxtaposés)" if taille.copies > 1 else ""
    print(
        f"Réseau piéton : {nombre_fr(taille.noeuds)} noeuds, {nombre_fr(taille.arcs)} arcs{copies}"
        f" ; {os.cpu_count()} coeurs. Médianes ; compilation et chauffe hors chronomètre."
    )
    for travail in dict.fromkeys(m["travail"] for m in mesures):
        print(f"\n{LIBELLES.get(travail, travail)}")
        lignes = [_ligne(m) for m in mesures if m["travail"] == travail]
        titres = ("moteur", "temps", "rapport", "précalcul", "mémoire", "contrôle", "version")
        print(composer_tableau(titres, lignes, a_droite=(1, 2, 3, 4)))
    jugements = juger(mesures)
    if jugements:
        print("\nExigences (temps du pair ÷ le nôtre)")
        lignes = [
            (
                f"{LIBELLES.get(e.travail, e.travail)}, face à {e.moteur}",
                f"≥ {nombre_fr(e.rapport_min, 2 if e.rapport_min < 1 else 0)}",
                nombre_fr(rapport, 1),
                "tenue" if tenue else "non tenue",
            )
            for e, rapport, tenue in jugements
        ]
        print(composer_tableau(("exigence", "promis", "mesuré", ""), lignes, a_droite=(1, 2)))
    for absence in absences:
        print(f"Non mesuré : {absence.moteur} – {absence.raison}")


def _ligne(mesure: dict[str, Any]) -> tuple[str, ...]:
    rapport, precalcul = mesure.get("rapport"), mesure.get("preparation_s")
    memoire = mesure.get("memoire_mio")
    return (
        mesure["moteur"],
        duree_fr(mesure["secondes"]),
        "–" if rapport is None else f"× {nombre_fr(rapport, 1)}",
        "–" if precalcul is None else duree_fr(precalcul),
        "–" if memoire is None or memoire != memoire else f"{nombre_fr(memoire)} Mio",
        f"{mesure.get('controle', '')} {mesure.get('unite_controle', '')}".strip(),
        mesure.get("version", ""),
    )


def duree_fr(secondes: float) -> str:
    """Écrire une durée avec trois chiffres utiles, en ms sous la seconde."""
    if secondes < 1:
        valeur = secondes * 1000
        return f"{nombre_fr(valeur, 2 if valeur < 10 else 1 if valeur < 100 else 0)} ms"
    return f"{nombre_fr(secondes, 2 if secondes < 10 else 1)} s"

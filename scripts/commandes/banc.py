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
    from scripts.banc import Absence, Sujet, Tache
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
        "manifeste",
        nargs="?",
        type=Path,
        metavar="MANIFESTE",
        help="manifeste dont mesurer l'extrait OSM et les horaires",
    )
    analyseur.add_argument(
        "--dossier",
        type=Path,
        metavar="T",
        help="le même territoire, préparé : diagnostic et transport sont mesurés aussi",
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
        sujet, taille = preparer(options, dossier)
        taches = composer_taches(dossier, sujet, rapide=options.rapide)

        def annoncer(tache: Tache) -> None:
            avancer(f"{tache.script}, {tache.moteur}", taches.index(tache) / len(taches))

        mesures, absences = mesurer(taches, trouver_interpretes(), dossier, annoncer)
    mesures = ajouter_rapports(mesures)
    montrer(mesures, absences, taille)
    if options.sortie is not None:
        ajouter_au_csv(options.sortie, mesures, taille)
        print(f"Mesures ajoutées à {options.sortie}")
    return 0


def preparer(options: argparse.Namespace, dossier: Path) -> tuple[Sujet, TailleReseau]:
    """Écrire les données communes de la séance dans un dossier de travail.

    Raises
    ------
    ErreurProjet
        Ni manifeste ni territoire.
    """
    from donnees_geo.configuration import lire_manifeste
    from donnees_geo.osm import lire_osm
    from donnees_geo.territoire import charger_territoire
    from scripts.banc import Sujet
    from scripts.banc_donnees import deplier_gtfs, ecrire_demandes_tc, ecrire_donnees

    manifeste = lire_manifeste(options.manifeste) if options.manifeste else None
    territoire = charger_territoire(options.dossier) if options.dossier else None
    if territoire is not None:
        reseau = territoire.reseau
        ecrire_demandes_tc(territoire, dossier / "demandes_tc.npz", 20)
    elif manifeste is not None and manifeste.osm is not None:
        reseau = lire_osm(manifeste.osm, manifeste.crs, None, avec_fond=False).reseau
    else:
        raise ErreurProjet(
            "Le banc d'essai n'a rien à mesurer.",
            attendu="un MANIFESTE qui cite un extrait OSM, ou --dossier TERRITOIRE",
            conseil="Par exemple : demi-heure banc donnees/demo/territoire.toml "
            "--dossier donnees/demo-prepare",
        )
    taille = ecrire_donnees(reseau, dossier, origines=5 if options.rapide else 20)
    sujet = Sujet(
        crs=reseau.crs,
        pbf=manifeste.osm.resolve() if manifeste and manifeste.osm else None,
        territoire=options.dossier.resolve() if options.dossier else None,
        gtfs=tuple(deplier_gtfs(manifeste.gtfs, dossier / "gtfs")) if manifeste else (),
        jour=manifeste.date_service.isoformat() if manifeste and manifeste.date_service else "",
    )
    return sujet, taille


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
        _controle(mesure),
        mesure.get("version", ""),
    )


def _controle(mesure: dict[str, Any]) -> str:
    """Le résultat du calcul, pour voir que les moteurs répondent à la même question."""
    valeur = mesure.get("controle")
    if valeur is None:
        return ""
    return f"{nombre_fr(valeur, int(isinstance(valeur, float)))} {mesure['unite_controle']}"


def duree_fr(secondes: float) -> str:
    """Écrire une durée avec trois chiffres utiles, en ms sous la seconde."""
    if secondes < 1:
        valeur = secondes * 1000
        return f"{nombre_fr(valeur, 2 if valeur < 10 else 1 if valeur < 100 else 0)} ms"
    return f"{nombre_fr(secondes, 2 if secondes < 10 else 1)} s"

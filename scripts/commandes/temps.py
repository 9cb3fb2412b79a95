"""Commande ``temps`` : temps de parcours entre deux listes de points."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any, Final

import numpy as np

from donnees_geo.conventions import LIBELLES_MODES
from scripts.commandes.affichage import nombre_fr, progression
from scripts.commandes.analyse import ajouter_options_trajet, ajouter_parametres, fichier_sortie
from scripts.commandes.sorties import exiger_dossier_parent
from scripts.commandes.trajets import charger_deplacement, rattacher, refuser_options_tc

#: Temps calculés (et gardés en mémoire) à la fois.
COUPLES_PAR_LOT: Final = 4_000_000


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "temps",
        help="calculer les temps entre deux listes de points",
        description="Calcule le temps de chaque origine à chaque destination.\n"
        "Les points sont des CSV à colonnes id, lon, lat (degrés WGS 84) ; la sortie a les "
        "colonnes\nid_origine, id_destination, secondes (vide : inaccessible).",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    for nom in ("origines", "destinations"):
        analyseur.add_argument(
            f"--{nom}", required=True, type=Path, metavar="F.csv", help=f"{nom} (id, lon, lat)"
        )
    analyseur.add_argument(
        "--sortie",
        required=True,
        type=fichier_sortie(".csv"),
        metavar="T.csv",
        help="table à écrire",
    )
    ajouter_options_trajet(analyseur, plusieurs_centiles=True)
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Calculer et écrire, par lots d'origines."""
    from accessibilite.matrices import calculer_matrice
    from donnees_geo.ecriture import ecrire_atomique
    from donnees_geo.lecture import lire_points_csv

    exiger_dossier_parent(options.sortie)
    refuser_options_tc(options)
    origines, destinations = (lire_points_csv(f) for f in (options.origines, options.destinations))
    with progression("Temps de parcours", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        deplacement = charger_deplacement(options, options.mode)
        depuis, vers = (
            rattacher(deplacement, t["lon"].to_numpy(), t["lat"].to_numpy(), t["id"].tolist())
            for t in (origines, destinations)
        )
        lot = max(1, COUPLES_PAR_LOT // len(destinations))
        inaccessibles = 0
        with (
            ecrire_atomique(options.sortie) as provisoire,
            provisoire.open("w", encoding="utf-8", newline="") as flux,
        ):
            redacteur = csv.writer(flux, lineterminator="\n")
            redacteur.writerow(("id_origine", "id_destination", "secondes"))
            for debut in range(0, len(origines), lot):
                tranche = slice(debut, debut + lot)
                temps = calculer_matrice(deplacement.graphe, depuis.extraire(tranche), vers)
                inaccessibles += int((~np.isfinite(temps)).sum())
                _ecrire_lot(redacteur, origines["id"][tranche], destinations["id"], temps)
                avancer("calcul", min(1.0, (debut + lot) / len(origines)))
    _resumer(options, len(origines) * len(destinations), inaccessibles)
    for nom, table, points in (
        ("origine", origines, depuis),
        ("destination", destinations, vers),
    ):
        isoles = table["id"][~points.rattaches]
        if len(isoles):
            print(
                f"{len(isoles)} {nom}(s) à plus de {deplacement.parametres.rattachement_max_m:g} m "
                f"de toute rue, laissée(s) sans temps : {', '.join(isoles[:10])}"
                + (", …" if len(isoles) > 10 else "")
            )
    return 0


def _ecrire_lot(redacteur: Any, origines: Any, destinations: Any, temps: Any) -> None:
    """Écrire un lot, origine par origine ; un temps infini laisse la case vide."""
    textes = np.where(np.isfinite(temps), np.char.mod("%.1f", temps), "")
    colonne = destinations.tolist()
    for identifiant, ligne in zip(origines.tolist(), textes.tolist(), strict=True):
        redacteur.writerows(zip([identifiant] * len(colonne), colonne, ligne, strict=True))


def _resumer(options: argparse.Namespace, couples: int, inaccessibles: int) -> None:
    print(
        f"{nombre_fr(couples)} temps {LIBELLES_MODES[options.mode]}, "
        f"dont {nombre_fr(inaccessibles)} inaccessible(s)."
    )
    print(f"Écrit : {options.sortie}")

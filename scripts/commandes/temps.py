"""Commande ``temps`` : temps de parcours entre deux listes de points."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from donnees_geo.conventions import LIBELLES_MODES
from scripts.commandes.affichage import nombre_fr, progression
from scripts.commandes.analyse import ajouter_options_trajet, ajouter_parametres, fichier_sortie
from scripts.commandes.sorties import exiger_dossier_parent
from scripts.commandes.trajets import (
    Deplacement,
    charger_deplacement,
    rattacher,
    refuser_options_tc,
)
from scripts.commandes.transport import charger_transport

if TYPE_CHECKING:
    import pandas as pd

    from accessibilite.rattachement import Rattachement

#: Temps calculés (et gardés en mémoire) à la fois.
COUPLES_PAR_LOT: Final = 4_000_000
#: Origines par lot en transport collectif, où chacune coûte plusieurs millisecondes.
ORIGINES_TC_PAR_LOT: Final = 200


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


@dataclass(frozen=True)
class Calcul:
    """De quoi calculer un lot de temps, quel que soit le mode.

    Attributes
    ----------
    deplacement
        Territoire, paramètres et graphe où rattacher les points.
    colonnes
        Noms des colonnes de temps : ``secondes``, ou une par centile.
    matrice
        ``(origines, destinations) → float[origines, destinations, colonnes]``.
    """

    deplacement: Deplacement
    colonnes: tuple[str, ...]
    matrice: Callable[[Rattachement, Rattachement], NDArray[np.floating]]


def preparer_rue(options: argparse.Namespace) -> Calcul:
    """Temps à pied, à vélo ou en voiture."""
    from accessibilite.matrices import calculer_matrice

    refuser_options_tc(options)
    deplacement = charger_deplacement(options, options.mode)

    def matrice(origines: Rattachement, destinations: Rattachement) -> NDArray[np.floating]:
        return calculer_matrice(deplacement.graphe, origines, destinations)[:, :, np.newaxis]

    return Calcul(deplacement, ("secondes",), matrice)


def preparer_tc(options: argparse.Namespace) -> Calcul:
    """Temps en transport collectif, une colonne par centile demandé."""
    from accessibilite.recherche_tc import calculer_matrice_tc

    pret = charger_transport(options)
    colonnes = tuple(f"secondes_p{centile:g}" for centile in pret.centiles)

    def matrice(origines: Rattachement, destinations: Rattachement) -> NDArray[np.floating]:
        return calculer_matrice_tc(
            pret.reseau, pret.marche, origines, destinations, centiles=pret.centiles
        )

    return Calcul(pret.deplacement, colonnes if len(colonnes) > 1 else ("secondes",), matrice)


def executer(options: argparse.Namespace) -> int:
    """Calculer et écrire, par lots d'origines."""
    from donnees_geo.ecriture import ecrire_atomique
    from donnees_geo.lecture import lire_points_csv

    exiger_dossier_parent(options.sortie)
    origines, destinations = (lire_points_csv(f) for f in (options.origines, options.destinations))
    with progression("Temps de parcours", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        calcul = preparer_tc(options) if options.mode == "tc" else preparer_rue(options)
        depuis, vers = (
            rattacher(
                calcul.deplacement, t["lon"].to_numpy(), t["lat"].to_numpy(), t["id"].tolist()
            )
            for t in (origines, destinations)
        )
        par_lot = ORIGINES_TC_PAR_LOT if options.mode == "tc" else len(origines)
        lot = max(1, min(par_lot, COUPLES_PAR_LOT // len(destinations)))
        inaccessibles = 0
        with (
            ecrire_atomique(options.sortie) as provisoire,
            provisoire.open("w", encoding="utf-8", newline="") as flux,
        ):
            redacteur = csv.writer(flux, lineterminator="\n")
            redacteur.writerow(("id_origine", "id_destination", *calcul.colonnes))
            for debut in range(0, len(origines), lot):
                tranche = slice(debut, debut + lot)
                temps = calcul.matrice(depuis.extraire(tranche), vers)
                inaccessibles += int((~np.isfinite(temps[:, :, 0])).sum())
                _ecrire_lot(redacteur, origines["id"][tranche], destinations["id"], temps)
                avancer("calcul", min(1.0, (debut + lot) / len(origines)))
    _resumer(options, calcul, len(origines) * len(destinations), inaccessibles)
    distance_max = calcul.deplacement.parametres.rattachement_max_m
    _dire_isoles("origine", origines["id"][~depuis.rattaches].tolist(), distance_max)
    _dire_isoles("destination", destinations["id"][~vers.rattaches].tolist(), distance_max)
    return 0


def _rattacher(calcul: Calcul, table: pd.DataFrame) -> Rattachement:
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    return rattacher(calcul.deplacement, lon, lat, table["id"].tolist())


def _ecrire_lot(
    redacteur: Any, origines: Any, destinations: Any, temps: NDArray[np.floating]
) -> None:
    """Écrire un lot, origine par origine ; un temps infini laisse la case vide."""
    textes = np.where(np.isfinite(temps), np.char.mod("%.1f", temps), "")
    colonne = destinations.tolist()
    for identifiant, lignes in zip(origines.tolist(), textes.tolist(), strict=True):
        redacteur.writerows(
            (identifiant, destination, *valeurs)
            for destination, valeurs in zip(colonne, lignes, strict=True)
        )


def _dire_isoles(nom: str, identifiants: list[str], distance_max_m: float) -> None:
    """Nommer les points qu'aucune rue n'approche : leurs cases sont vides."""
    if identifiants:
        premiers = ", ".join(identifiants[:10]) + (", …" if len(identifiants) > 10 else "")
        print(
            f"{len(identifiants)} {nom}(s) à plus de {distance_max_m:g} m de toute rue, "
            f"laissée(s) sans temps : {premiers}"
        )


def _resumer(options: argparse.Namespace, calcul: Calcul, couples: int, inaccessibles: int) -> None:
    print(
        f"{nombre_fr(couples)} temps {LIBELLES_MODES[options.mode]}, "
        f"dont {nombre_fr(inaccessibles)} inaccessible(s) ({calcul.colonnes[0]})."
    )
    print(f"Écrit : {options.sortie}")

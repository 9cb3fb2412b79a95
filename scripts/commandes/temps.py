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
from scripts.commandes.analyse import (
    ajouter_options_trajet,
    ajouter_parametres,
    fichier_sortie,
    nombre_entre,
)
from scripts.commandes.sorties import exiger_dossier_parent
from scripts.commandes.trajets import (
    Deplacement,
    charger_deplacement,
    rattacher,
    refuser_options_tc,
)
from scripts.commandes.transport import charger_transport, montrer_attentions

if TYPE_CHECKING:
    import pandas as pd

    from accessibilite.rues.rattachement import Rattachement
    from donnees_geo.erreurs import Constat

#: Colonne de ``--seuil``.
PART: Final = "part_seuil"
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
    analyseur.add_argument(
        "--seuil",
        type=nombre_entre(1, 600, "minutes"),
        metavar="MIN",
        help="en transport collectif, ajouter la colonne part_seuil : part des départs qui "
        "aboutissent en MIN minutes ou moins",
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
        Noms des colonnes : ``secondes``, ou une par centile ; puis ``part_seuil`` si demandée.
    matrice
        ``(tranche des origines, origines, destinations) → float[origines, destinations,
        colonnes]``.
    attentions
        Ce qu'il faut savoir du jour étudié en transport collectif.
    """

    deplacement: Deplacement
    colonnes: tuple[str, ...]
    matrice: Callable[[slice, Rattachement, Rattachement], NDArray[np.floating]]
    attentions: tuple[Constat, ...] = ()


def preparer_rue(options: argparse.Namespace) -> Calcul:
    """Temps à pied, à vélo ou en voiture."""
    from accessibilite.rues.matrices import calculer_matrice

    refuser_options_tc(options)
    deplacement = charger_deplacement(options, options.mode)

    def matrice(
        _tranche: slice, origines: Rattachement, destinations: Rattachement
    ) -> NDArray[np.floating]:
        return calculer_matrice(deplacement.graphe, origines, destinations)[:, :, np.newaxis]

    return Calcul(deplacement, ("secondes",), matrice)


def preparer_tc(options: argparse.Namespace, origines: pd.DataFrame) -> Calcul:
    """Temps en transport collectif, une colonne par centile demandé."""
    from accessibilite.transport.recherche import calculer_matrice_seuil_tc

    seuil_s = 0.0 if options.seuil is None else options.seuil * 60.0
    pret = charger_transport(options, duree_min_s=seuil_s)
    colonnes: tuple[str, ...] = ("secondes",)
    if len(pret.centiles) > 1:
        colonnes = tuple(f"secondes_p{centile:g}" for centile in pret.centiles)
    if options.seuil is not None:
        colonnes = (*colonnes, PART)
    velo = pret.rattacher_velo(origines["lon"].to_numpy(), origines["lat"].to_numpy())

    def matrice(tranche: slice, depuis: Rattachement, vers: Rattachement) -> NDArray[np.floating]:
        resultat = calculer_matrice_seuil_tc(
            pret.reseau,
            pret.marche,
            depuis,
            vers,
            seuil_s=seuil_s,
            centiles=pret.centiles,
            velo=None if velo is None else velo.extraire(tranche),
        )
        if options.seuil is None:
            return resultat.temps_s
        return np.concatenate([resultat.temps_s, resultat.part_seuil[:, :, np.newaxis]], axis=2)

    return Calcul(pret.deplacement, colonnes, matrice, pret.constats)


def executer(options: argparse.Namespace) -> int:
    """Calculer et écrire, par lots d'origines."""
    from donnees_geo.ecriture import ecrire_atomique
    from donnees_geo.lecture.tables import lire_points_csv

    exiger_dossier_parent(options.sortie)
    origines, destinations = (lire_points_csv(f) for f in (options.origines, options.destinations))
    with progression("Temps de parcours", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        tc = options.mode == "tc"
        calcul = preparer_tc(options, origines) if tc else preparer_rue(options)
        depuis, vers = (
            rattacher(
                calcul.deplacement, t["lon"].to_numpy(), t["lat"].to_numpy(), t["id"].tolist()
            )
            for t in (origines, destinations)
        )
        par_lot = ORIGINES_TC_PAR_LOT if tc else len(origines)
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
                temps = calcul.matrice(tranche, depuis.extraire(tranche), vers)
                inaccessibles += int((~np.isfinite(temps[:, :, 0])).sum())
                textes = _ecrire_valeurs(temps, calcul.colonnes)
                _ecrire_lot(redacteur, origines["id"][tranche], destinations["id"], textes)
                avancer("calcul", min(1.0, (debut + lot) / len(origines)))
    montrer_attentions(calcul.attentions)
    _resumer(options, calcul, len(origines) * len(destinations), inaccessibles)
    distance_max = calcul.deplacement.parametres.rattachement_max_m
    _dire_isoles("origine", origines["id"][~depuis.rattaches].tolist(), distance_max)
    _dire_isoles("destination", destinations["id"][~vers.rattaches].tolist(), distance_max)
    return 0


def _rattacher(calcul: Calcul, table: pd.DataFrame) -> Rattachement:
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    return rattacher(calcul.deplacement, lon, lat, table["id"].tolist())


def _ecrire_valeurs(valeurs: NDArray[np.floating], colonnes: tuple[str, ...]) -> NDArray[np.str_]:
    """Textes des temps (une décimale) et de la part (quatre) ; vide s'il n'y a pas de nombre."""
    formats = ["%.4f" if colonne == PART else "%.1f" for colonne in colonnes]
    textes = np.stack([np.char.mod(f, valeurs[:, :, i]) for i, f in enumerate(formats)], axis=2)
    ecrits: NDArray[np.str_] = np.where(np.isfinite(valeurs), textes, "")
    return ecrits


def _ecrire_lot(redacteur: Any, origines: Any, destinations: Any, textes: NDArray[np.str_]) -> None:
    """Écrire un lot, origine par origine."""
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

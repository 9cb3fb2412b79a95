"""Ce que partagent ``isochrone`` et ``temps`` : territoire, graphe, points, hypothèses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from donnees_geo.conventions import CRS_GEO, LIBELLES_MODES, ModeRue
from donnees_geo.erreurs import ErreurConfiguration, ErreurReseau

if TYPE_CHECKING:
    from accessibilite.rues.graphe import Graphe
    from accessibilite.rues.rattachement import Rattachement
    from donnees_geo.configuration import Parametres
    from donnees_geo.territoire import Territoire

#: Options qui ne règlent que le transport collectif.
OPTIONS_TC: Final = (
    *("jour", "depart", "fenetre", "centile", "marche_max", "duree_max", "trajets_max"),
    *("rabattement_velo", "seuil", "arrets"),
)


@dataclass(frozen=True)
class Deplacement:
    """Territoire et graphe d'un mode de rue, prêts à répondre.

    Attributes
    ----------
    territoire, parametres
        Territoire préparé et hypothèses.
    graphe
        Graphe du mode à la vitesse demandée.
    """

    territoire: Territoire
    parametres: Parametres
    graphe: Graphe


def charger_deplacement(options: argparse.Namespace, mode: ModeRue) -> Deplacement:
    """Charger le territoire et construire le graphe d'un mode de rue."""
    from accessibilite.rues.graphe import construire_graphe
    from accessibilite.rues.profils import construire_profil
    from donnees_geo.configuration import lire_parametres
    from donnees_geo.territoire import charger_territoire

    parametres = lire_parametres(options.parametres)
    profil = construire_profil(parametres, mode, options.vitesse)
    territoire = charger_territoire(options.dossier)
    graphe = construire_graphe(territoire.reseau, profil, parametres.composante_min_noeuds)
    return Deplacement(territoire, parametres, graphe)


def refuser_options_tc(options: argparse.Namespace) -> None:
    """Refuser une option du transport collectif avec un autre mode, plutôt que de l'ignorer.

    Raises
    ------
    ErreurConfiguration
        Si l'une d'elles est donnée.
    """
    donnees = [nom for nom in OPTIONS_TC if getattr(options, nom, None) is not None]
    if donnees:
        raise ErreurConfiguration(
            "Ces options ne règlent que le transport collectif.",
            objet=", ".join("--" + nom.replace("_", "-") for nom in donnees),
            trouve=f"--mode {options.mode}",
            conseil="Retirez-les, ou demandez --mode tc.",
        )


def projeter(
    territoire: Territoire, lon: Sequence[float] | Any, lat: Sequence[float] | Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordonnées métriques de points donnés en degrés WGS 84."""
    from pyproj import Transformer

    vers = Transformer.from_crs(CRS_GEO, territoire.crs, always_xy=True)
    x, y = vers.transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return np.atleast_1d(x), np.atleast_1d(y)


def _hors_emprise(territoire: Territoire, lon: Any, lat: Any, marge_m: float) -> NDArray[np.bool_]:
    """Points hors du rectangle du réseau, élargi de la distance de rattachement."""
    x, y = projeter(territoire, lon, lat)
    reseau = territoire.reseau
    with np.errstate(invalid="ignore"):
        dedans = (
            (x >= reseau.geometrie_x.min() - marge_m)
            & (x <= reseau.geometrie_x.max() + marge_m)
            & (y >= reseau.geometrie_y.min() - marge_m)
            & (y <= reseau.geometrie_y.max() + marge_m)
        )
    dehors: NDArray[np.bool_] = ~dedans
    return dehors


def emprise_en_degres(territoire: Territoire) -> tuple[float, float, float, float]:
    """``(ouest, sud, est, nord)`` du réseau de rues, degrés WGS 84."""
    from pyproj import Transformer

    reseau = territoire.reseau
    vers = Transformer.from_crs(territoire.crs, CRS_GEO, always_xy=True)
    ouest, sud, est, nord = vers.transform_bounds(
        float(reseau.geometrie_x.min()),
        float(reseau.geometrie_y.min()),
        float(reseau.geometrie_x.max()),
        float(reseau.geometrie_y.max()),
    )
    return ouest, sud, est, nord


def rattacher(
    deplacement: Deplacement,
    lon: Sequence[float] | Any,
    lat: Sequence[float] | Any,
    noms: Sequence[str],
) -> Rattachement:
    """Rattacher des points aux rues du mode ; aucun ne peut être loin du réseau du territoire.

    Parameters
    ----------
    lon, lat
        Degrés WGS 84.
    noms
        Nom de chaque point, pour les messages.

    Raises
    ------
    ErreurReseau
        Point hors de l'emprise du réseau ; le message dit si longitude et latitude semblent
        inversées.
    """
    from accessibilite.rues.rattachement import rattacher_points

    territoire, marge = deplacement.territoire, deplacement.parametres.rattachement_max_m
    dehors = _hors_emprise(territoire, lon, lat, marge)
    if dehors.any():
        inverses = not _hors_emprise(territoire, lat, lon, marge)[dehors].any()
        ouest, sud, est, nord = emprise_en_degres(territoire)
        premiers = np.flatnonzero(dehors)[:5]
        suite = ", …" if dehors.sum() > 5 else ""
        raise ErreurReseau(
            f"{int(dehors.sum())} point(s) hors du réseau de rues du territoire.",
            objet=territoire.nom,
            attendu=f"longitude de {ouest:.4f} à {est:.4f}, latitude de {sud:.4f} à {nord:.4f}",
            trouve=", ".join(f"{noms[i]} (lon {lon[i]:g}, lat {lat[i]:g})" for i in premiers)
            + suite,
            conseil="Longitude et latitude semblent inversées."
            if inverses
            else "Vérifiez les coordonnées (degrés WGS 84) ou choisissez un autre territoire.",
        )
    x, y = projeter(territoire, lon, lat)
    return rattacher_points(deplacement.graphe, x, y, marge)


def exiger_rattache(
    points: Rattachement, mode: ModeRue, distance_max_m: float, noms: Sequence[str]
) -> None:
    """Vérifier que chaque point touche une rue.

    Raises
    ------
    ErreurReseau
        Un point est trop loin de toute rue praticable par ce mode.
    """
    isoles = np.flatnonzero(~points.rattaches)
    if isoles.size:
        raise ErreurReseau(
            f"Aucune rue praticable {LIBELLES_MODES[mode]} près du point.",
            objet=", ".join(noms[i] for i in isoles[:5]),
            attendu=f"une rue à moins de {distance_max_m:g} m",
            conseil="Rapprochez le point d'une rue, ou augmentez rattachement_max_m dans les "
            "paramètres.",
        )

"""Étendue bâtie : la ville s'étire le long des routes et évite l'eau, les voies et les pentes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from donnees_geo.demo.axes import SANS_CLASSE, Axes
from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, bruit, plus_proches, reechantillonner
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.maillage import Maillage, cout_terrain
from donnees_geo.demo.relief import Vallees


@dataclass(frozen=True)
class EmpriseBatie:
    """Éloignement du centre, rapporté à l'étendue bâtie de la commune.

    Attributes
    ----------
    rang
        float64 (grille), 0 au centre, 1 à la limite du bâti, davantage au-delà.
    commune
        int64 (grille), rang de la commune dont le centre est le plus accessible.
    """

    rang: Flottants
    commune: Entiers


def _territoires(
    maillage: Maillage, couts: Flottants, habitat: Habitat, noeuds: Entiers
) -> tuple[Flottants, Entiers]:
    """Éloignement relatif de chaque noeud et commune qui l'atteint le mieux."""
    matrice = sparse.csr_array(maillage.matrice(couts))
    rang = np.full(len(maillage.xy), np.inf)
    commune = np.zeros(len(maillage.xy), dtype=np.int64)
    for i, (noeud, rayon) in enumerate(zip(noeuds, habitat.rayon_m, strict=True)):
        portee = rayon + 40.0
        limite = 3.0 * float(portee) + 400
        distance = csgraph.dijkstra(matrice, indices=np.array([noeud]), limit=limite, min_only=True)
        distance = distance / portee
        mieux = distance < rang
        rang[mieux] = distance[mieux]
        commune[mieux] = i
    loin = ~np.isfinite(rang)
    rang[loin] = 4.0
    centres = np.column_stack([habitat.x, habitat.y])
    _, commune[loin] = plus_proches(centres, maillage.xy[loin])
    return rang, commune


def construire_emprise_batie(
    cadre: Cadre, vallees: Vallees, habitat: Habitat, maillage: Maillage, axes: Axes
) -> EmpriseBatie:
    """Étendue bâtie sur la grille du cadre."""
    hasard = cadre.hasard(8)
    sur_route = axes.maille_classe < SANS_CLASSE
    couts = cout_terrain(cadre, maillage, vallees)
    couts = np.clip(couts / maillage.longueur_m, 0.9, 4.0) * maillage.longueur_m
    couts = np.where(sur_route, 0.62 * maillage.longueur_m, 1.05 * couts)
    _, noeuds = plus_proches(maillage.xy, np.column_stack([habitat.x, habitat.y]))
    rang, commune = _territoires(maillage, couts, habitat, noeuds)
    x, y = cadre.centres_cellules()
    gx, gy = np.meshgrid(x, y)
    _, proche = plus_proches(maillage.xy, np.column_stack([gx.ravel(), gy.ravel()]))
    champ = np.asarray(ndimage.gaussian_filter(rang[proche].reshape(cadre.forme), 1.4))
    champ += 0.10 * bruit(cadre.forme, 9, hasard, 2) * np.clip(champ, 0, 1)
    champ += 0.5 * np.clip(0.7 - vallees.hauteur_m, 0, 0.7) * (vallees.distance_m < 250)
    champ += 2.0 * (vallees.distance_m < 30)
    champ += _marge(cadre, axes.autoroute, 110.0) + _marge(cadre, axes.canal, 60.0)
    return EmpriseBatie(np.asarray(champ, dtype=np.float64), commune[proche].reshape(cadre.forme))


def _marge(cadre: Cadre, ligne: Flottants, distance_m: float) -> Flottants:
    """Bande inconstructible autour d'un axe (3 dans la bande, 0 ailleurs)."""
    bande = np.zeros(cadre.forme, dtype=bool)
    points = reechantillonner(ligne, 20.0)
    bande[cadre.cellules(points[:, 0], points[:, 1])] = True
    proche = ndimage.distance_transform_edt(~bande) * cadre.pas_m < distance_m
    return np.where(proche, 3.0, 0.0)

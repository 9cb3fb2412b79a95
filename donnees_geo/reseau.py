"""Réseau de rues compact : la table de tronçons que partagent tous les modes.

Le réseau est simplifié entre carrefours ; chaque tronçon garde sa géométrie (pour dessiner et
couper exactement) et, par mode et par sens, le droit d'y circuler. Les graphes par mode sont
construits à partir de lui par ``accessibilite.graphe``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Droits de passage, un bit par mode et par sens (ALLER = sens de la géométrie du tronçon).
MARCHE_ALLER: Final = 1
MARCHE_RETOUR: Final = 2
VELO_ALLER: Final = 4
VELO_RETOUR: Final = 8
VOITURE_ALLER: Final = 16
VOITURE_RETOUR: Final = 32
# Qualités du tronçon.
ESCALIER: Final = 64
PONT: Final = 128
TUNNEL: Final = 256
#: Le vélo n'y roule pas mais s'y pousse (trottoir, zone piétonne, escalier) : vitesse de marche.
VELO_POUSSE_ALLER: Final = 512
VELO_POUSSE_RETOUR: Final = 1024

BITS_ALLER: Final = {"marche": MARCHE_ALLER, "velo": VELO_ALLER, "voiture": VOITURE_ALLER}
BITS_RETOUR: Final = {"marche": MARCHE_RETOUR, "velo": VELO_RETOUR, "voiture": VOITURE_RETOUR}

#: Classes de voies (valeurs OSM de ``highway``) ; ``troncon_classe`` en est l'indice.
CLASSES_VOIE: Final[tuple[str, ...]] = (
    "autre",
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "pedestrian",
    "track",
    "cycleway",
    "footway",
    "path",
    "steps",
    "bridleway",
    "road",
    "ferry",
)


@dataclass(frozen=True)
class ReseauRues:
    """Réseau de rues simplifié, en colonnes.

    Attributes
    ----------
    crs
        CRS métrique de ``x`` et ``y`` (par exemple ``"EPSG:2154"``).
    noeud_x, noeud_y
        float64[n], mètres. Les noeuds sont rangés par proximité (courbe de Hilbert).
    noeud_osm
        int64[n], identifiant OSM du noeud (négatif s'il a été créé).
    troncon_origine, troncon_destination
        int32[m], indices de noeuds.
    troncon_longueur_m
        float64[m], longueur développée de la géométrie en mètres, dans le CRS métrique.
    troncon_way
        int64[m], identifiant OSM de la voie (la première, si plusieurs sont fusionnées).
    troncon_classe
        uint8[m], indice dans :data:`CLASSES_VOIE`.
    troncon_acces
        uint16[m], bits ``MARCHE_ALLER`` … ``VELO_POUSSE_RETOUR``.
    troncon_vitesse_kmh
        float32[m], vitesse maximale autorisée (tag ``maxspeed``), NaN si elle n'est pas dite.
    troncon_nom
        int32[m], indice dans ``noms``, -1 sans nom.
    noms
        Noms de voies distincts.
    geometrie_debut
        int64[m+1] : les sommets du tronçon ``t`` sont ``geometrie_debut[t]`` à
        ``geometrie_debut[t+1]`` (exclu) ; extrémités comprises, dans le sens aller.
    geometrie_x, geometrie_y
        float64[k], mètres.
    geometrie_altitude_m
        float32[k] ou ``None`` sans relief ; NaN hors du relief.
    """

    crs: str
    noeud_x: NDArray[np.float64]
    noeud_y: NDArray[np.float64]
    noeud_osm: NDArray[np.int64]
    troncon_origine: NDArray[np.int32]
    troncon_destination: NDArray[np.int32]
    troncon_longueur_m: NDArray[np.float64]
    troncon_way: NDArray[np.int64]
    troncon_classe: NDArray[np.uint8]
    troncon_acces: NDArray[np.uint16]
    troncon_vitesse_kmh: NDArray[np.float32]
    troncon_nom: NDArray[np.int32]
    noms: tuple[str, ...]
    geometrie_debut: NDArray[np.int64]
    geometrie_x: NDArray[np.float64]
    geometrie_y: NDArray[np.float64]
    geometrie_altitude_m: NDArray[np.float32] | None = None

    @property
    def nombre_noeuds(self) -> int:
        """Nombre de noeuds (carrefours et extrémités)."""
        return int(self.noeud_x.size)

    @property
    def nombre_troncons(self) -> int:
        """Nombre de tronçons (non orientés)."""
        return int(self.troncon_origine.size)

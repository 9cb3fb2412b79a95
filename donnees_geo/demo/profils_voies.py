"""Nature des voies : tags OSM, droit de franchir, noms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from donnees_geo.demo import noms


@dataclass(frozen=True)
class Profil:
    """Ce que devient une nature de voie dans OSM.

    Attributes
    ----------
    tags
        Tags constants.
    noms
        Noms possibles, vide pour une voie sans nom.
    rang
        Importance, de 0 (route principale) à 9 (sentier) : arbitre les franchissements.
    sens_unique
        Part des rues à sens unique.
    habitations
        Poids des logements par mètre de voie.
    """

    tags: dict[str, str]
    noms: tuple[str, ...] = ()
    rang: int = 9
    sens_unique: float = 0.0
    habitations: float = field(default=0.0)


_REVETU = {"surface": "asphalt"}

PROFILS: Final[dict[str, Profil]] = {
    "primary": Profil({"highway": "primary", **_REVETU}, rang=0, habitations=0.45),
    "secondary": Profil({"highway": "secondary", **_REVETU}, rang=1, habitations=0.5),
    "tertiary": Profil({"highway": "tertiary", **_REVETU}, rang=2, habitations=0.55),
    "unclassified": Profil({"highway": "unclassified", **_REVETU}, rang=3, habitations=0.5),
    "collectrice": Profil(
        {"highway": "residential", **_REVETU}, noms.RUES_ORDINAIRES, rang=4, habitations=0.8
    ),
    "rue_centre": Profil(
        {"highway": "residential", "sidewalk": "both", **_REVETU},
        noms.RUES_CENTRE,
        rang=5,
        sens_unique=0.42,
        habitations=1.7,
    ),
    "rue_faubourg": Profil(
        {"highway": "residential", "sidewalk": "both", **_REVETU},
        noms.RUES_ORDINAIRES,
        rang=5,
        sens_unique=0.16,
        habitations=1.15,
    ),
    "rue_coron": Profil(
        {"highway": "residential", "sidewalk": "both", **_REVETU},
        noms.RUES_CORONS,
        rang=5,
        sens_unique=0.14,
        habitations=1.25,
    ),
    "rue_lotissement": Profil(
        {"highway": "residential", **_REVETU}, noms.RUES_LOTISSEMENTS, rang=6, habitations=0.8
    ),
    "rue_village": Profil(
        {"highway": "residential", **_REVETU}, noms.RUES_ORDINAIRES, rang=5, habitations=0.75
    ),
    "rue_activite": Profil(
        {"highway": "unclassified", **_REVETU}, noms.RUES_ACTIVITES, rang=5, habitations=0.02
    ),
    "pietonne": Profil(
        {"highway": "pedestrian", "surface": "paving_stones"},
        noms.RUES_CENTRE,
        rang=6,
        habitations=1.7,
    ),
    "ruelle": Profil({"highway": "service", "service": "alley"}, rang=7, habitations=0.1),
    "allee": Profil({"highway": "service", "service": "driveway"}, rang=8),
    "venelle": Profil({"highway": "footway", "surface": "fine_gravel"}, rang=8),
    "marches": Profil({"highway": "steps", "handrail": "yes"}, rang=8),
    "voie_verte": Profil(
        {
            "highway": "cycleway",
            "foot": "designated",
            "bicycle": "designated",
            "surface": "asphalt",
        },
        noms.VOIES_VERTES,
        rang=4,
    ),
    "giratoire": Profil(
        {"highway": "secondary", "junction": "roundabout", "oneway": "yes", **_REVETU}, rang=1
    ),
    "chemin": Profil(
        # Ouvert aux véhicules : des fermes n'ont pas d'autre accès.
        {
            "highway": "track",
            "tracktype": "grade2",
            "surface": "compacted",
            "motor_vehicle": "yes",
            "maxspeed": "20",
        },
        noms.CHEMINS,
        rang=8,
        habitations=0.10,
    ),
    "sentier": Profil({"highway": "path", "surface": "ground"}, rang=9),
}

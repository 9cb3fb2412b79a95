"""Codes des zonages d'inondation publiés, et leur forme harmonisée.

Sources : COVADIS, standard PPR (TYPEREG, NIVALEA_ST) et standard « Directive inondation » 2.1
(SCENARIO) ; CNIG, standard PPR 1.0 (novembre 2025) ; BRGM RP-65452-FR (remontées de nappe).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Niveau:
    """Niveau d'une famille de zonage.

    Attributes
    ----------
    code, libelle
        Code de la table harmonisée et texte affiché.
    severite
        Rang dans la famille ; où deux zones se recouvrent, le plus grand l'emporte.
    """

    code: str
    libelle: str
    severite: int


#: Famille → niveaux, du plus au moins sévère.
NIVEAUX: Final[dict[str, tuple[Niveau, ...]]] = {
    "reglement": (
        Niveau("mesures_foncieres", "mesures foncières (délaissement, expropriation)", 5),
        Niveau("interdiction_stricte", "interdiction stricte", 4),
        Niveau("interdiction", "interdiction", 3),
        Niveau("prescription", "prescription", 2),
        Niveau("prescription_hors_alea", "prescription hors zone d'aléa", 1),
        Niveau("inconnu", "zone réglementée, règle inconnue", 0),
    ),
    "alea": (
        Niveau("tres_fort", "aléa très fort", 4),
        Niveau("fort", "aléa fort", 3),
        Niveau("moyen", "aléa moyen", 2),
        Niveau("faible", "aléa faible", 1),
        Niveau("inconnu", "aléa de niveau inconnu", 0),
    ),
    # L'événement le plus fréquent est le plus exposant ; les emprises s'emboîtent.
    "tri": (
        Niveau("frequent", "crue fréquente (forte probabilité)", 4),
        Niveau("moyen", "crue moyenne", 3),
        Niveau("moyen_climat", "crue moyenne avec changement climatique", 2),
        Niveau("extreme", "crue extrême (faible probabilité)", 1),
        Niveau("inconnu", "scénario inconnu", 0),
    ),
    "hauteur": (
        Niveau("plus_de_2_m", "plus de 2 m d'eau", 4),
        Niveau("1_a_2_m", "1 à 2 m d'eau", 3),
        Niveau("0_5_a_1_m", "0,5 à 1 m d'eau", 2),
        Niveau("moins_de_0_5_m", "moins de 0,5 m d'eau", 1),
        Niveau("inconnu", "hauteur d'eau inconnue", 0),
    ),
    "azi": (Niveau("zone_inondable", "atlas des zones inondables", 1),),
    # Deux phénomènes, non deux degrés ; l'ordre ne sert qu'à trancher un recouvrement de maille.
    "nappe": (
        Niveau("debordement", "débordement de nappe", 2),
        Niveau("cave", "inondation de cave", 1),
    ),
    "autre": (Niveau("zone_inondable", "zone inondable", 1),),
}
LIBELLES_FAMILLES: Final = {
    "reglement": "plan de prévention des risques (règlement)",
    "alea": "plan de prévention des risques (aléa)",
    "tri": "territoire à risque important d'inondation",
    "hauteur": "hauteurs d'eau (TRI)",
    "azi": "atlas des zones inondables",
    "nappe": "remontées de nappe",
    "autre": "zone inondable",
}
#: À dire partout où une part « hors zone » est montrée.
HORS_ZONE: Final = (
    "Hors des zones cartographiées ne veut pas dire sans risque : un PPR ou un TRI ne couvre "
    "qu'une partie des communes et certains aléas."
)

#: TYPEREG (COVADIS) et typereglement (CNIG 2025).
TYPEREG: Final = {
    "01": "prescription_hors_alea",
    "02": "prescription",
    "03": "interdiction",
    "04": "interdiction_stricte",
    "05": "mesures_foncieres",
    "06": "mesures_foncieres",
}
#: (mot-clé du libellé, niveau) quand TYPEREG manque.
MOTS_REGLEMENT: Final = (
    ("expropriation", "mesures_foncieres"),
    ("delaissement", "mesures_foncieres"),
    ("interdictionstricte", "interdiction_stricte"),
    ("interdiction", "interdiction"),
    ("inconstructible", "interdiction"),
    ("horszonedalea", "prescription_hors_alea"),
    ("horsalea", "prescription_hors_alea"),
    ("prescription", "prescription"),
)
NIVALEA_ST: Final = {"01": "faible", "02": "moyen", "03": "fort", "04": "tres_fort"}
MOTS_ALEA: Final = (
    ("tresfort", "tres_fort"),
    ("fort", "fort"),
    ("moyen", "moyen"),
    ("modere", "moyen"),
    ("faible", "faible"),
)
#: Préfixe du scénario de la directive : « 01for » est la crue la plus *fréquente*.
SCENARIOS: Final = (
    ("01for", "frequent"),
    ("02moy", "moyen"),
    ("03mcc", "moyen_climat"),
    ("04fai", "extreme"),
    ("frequent", "frequent"),
    ("forteprobabilite", "frequent"),
    ("moyen", "moyen"),
    ("extreme", "extreme"),
    ("faible", "extreme"),
)
PROBABILITES: Final = {
    "frequent": "forte",
    "moyen": "moyenne",
    "moyen_climat": "moyenne",
    "extreme": "faible",
    "": "",
    "inconnu": "",
}
TYPES_INONDATION: Final = {"01": "debordement", "02": "ruissellement", "03": "submersion"}
MOTS_TYPE_INONDATION: Final = (
    ("remontee", "nappe"),
    ("nappe", "nappe"),
    ("ruissellement", "ruissellement"),
    ("coulee", "ruissellement"),
    ("submersion", "submersion"),
    ("debordement", "debordement"),
    ("crue", "debordement"),
)
GRIDCODE_NAPPE: Final = {"1": "debordement", "2": "cave"}


def severite_de(famille: str, niveau: str) -> int:
    """Rang de sévérité d'un niveau dans sa famille (0 s'il n'y est pas)."""
    return next((n.severite for n in NIVEAUX[famille] if n.code == niveau), 0)


def classe_hauteur(minimum_m: float, maximum_m: float) -> str:
    """Classe de hauteur d'eau d'une plage ``[minimum, maximum]`` en mètres.

    La plage est rangée par son minimum (0, 0,5, 1 ou 2 m dans le standard), à défaut par son
    maximum.

    Examples
    --------
    >>> classe_hauteur(0.5, 1.0), classe_hauteur(2.0, float("nan"))
    ('0_5_a_1_m', 'plus_de_2_m')
    >>> classe_hauteur(float("nan"), 0.5), classe_hauteur(float("nan"), float("nan"))
    ('moins_de_0_5_m', 'inconnu')
    """
    if minimum_m == minimum_m:  # connu
        seuils = ((2.0, "plus_de_2_m"), (1.0, "1_a_2_m"), (0.5, "0_5_a_1_m"))
        return next((c for s, c in seuils if minimum_m >= s), "moins_de_0_5_m")
    if maximum_m == maximum_m:
        seuils = ((0.5, "moins_de_0_5_m"), (1.0, "0_5_a_1_m"), (2.0, "1_a_2_m"))
        return next((c for s, c in seuils if maximum_m <= s), "plus_de_2_m")
    return "inconnu"

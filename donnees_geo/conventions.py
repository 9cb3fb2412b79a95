"""Mots, unités et constantes partagés par toutes les couches du programme."""

from __future__ import annotations

from typing import Final, Literal

Mode = Literal["marche", "velo", "voiture", "tc"]
ModeRue = Literal["marche", "velo", "voiture"]
Sens = Literal["depuis", "vers"]
Palier = Literal["proximite", "intermediaire", "structurant"]

MODES: Final[tuple[Mode, ...]] = ("marche", "velo", "voiture", "tc")
MODES_RUE: Final[tuple[ModeRue, ...]] = ("marche", "velo", "voiture")
PALIERS: Final[tuple[Palier, ...]] = ("proximite", "intermediaire", "structurant")
FONCTIONS: Final[tuple[str, ...]] = (
    "se_deplacer",
    "habiter",
    "travailler",
    "s_approvisionner",
    "etre_en_forme",
    "apprendre",
    "s_epanouir",
)

LIBELLES_MODES: Final[dict[str, str]] = {
    "marche": "à pied",
    "velo": "à vélo",
    "voiture": "en voiture",
    "tc": "en transport collectif",
}
LIBELLES_PALIERS: Final[dict[str, str]] = {
    "proximite": "proximité",
    "intermediaire": "intermédiaire",
    "structurant": "structurant",
}
LIBELLES_FONCTIONS: Final[dict[str, str]] = {
    "se_deplacer": "se déplacer",
    "habiter": "habiter",
    "travailler": "travailler",
    "s_approvisionner": "s'approvisionner",
    "etre_en_forme": "être en forme",
    "apprendre": "apprendre",
    "s_epanouir": "s'épanouir",
}

#: Jours types proposés d'après le calendrier de l'offre de transport.
JOURS_TYPES: Final[tuple[str, ...]] = (
    "mardi_scolaire",
    "mercredi",
    "samedi",
    "dimanche",
    "vacances",
)

#: Jours de la semaine, dans l'ordre de leur rang (0 = lundi) ; -1 quand le jour est inconnu.
JOURS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
JOUR_INCONNU: Final = -1

CRS_GEO: Final = "EPSG:4326"
CRS_LAEA: Final = "EPSG:3035"

#: Tranches d'âge des carreaux Filosofi 2015 à 2021 (noms de l'INSEE, en minuscules).
COLONNES_AGES: Final[tuple[str, ...]] = (
    "ind_0_3",
    "ind_4_5",
    "ind_6_10",
    "ind_11_17",
    "ind_18_24",
    "ind_25_39",
    "ind_40_54",
    "ind_55_64",
    "ind_65_79",
    "ind_80p",
    "ind_inc",
)
#: Autres variables Filosofi conservées quand la source les donne.
COLONNES_MENAGES: Final[tuple[str, ...]] = (
    "men",
    "men_pauv",
    "men_1ind",
    "men_5ind",
    "men_prop",
    "men_fmp",
    "ind_snv",
    "men_surf",
    "men_coll",
    "men_mais",
    "log_soc",
)

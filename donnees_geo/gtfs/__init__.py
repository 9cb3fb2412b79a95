"""Lecture des offres de transport au format GTFS."""

from donnees_geo.gtfs.fusion import lire_gtfs, verifier_date
from donnees_geo.gtfs.jours import (
    CoursesDuJour,
    choisir_jour,
    compter_par_jour,
    courses_du_jour,
    proposer_jours_types,
)
from donnees_geo.gtfs.offre import OffreTransport, ecrire_offre, lire_offre_preparee

__all__ = [
    "CoursesDuJour",
    "OffreTransport",
    "choisir_jour",
    "compter_par_jour",
    "courses_du_jour",
    "ecrire_offre",
    "lire_gtfs",
    "lire_offre_preparee",
    "proposer_jours_types",
    "verifier_date",
]

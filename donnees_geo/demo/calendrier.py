"""Calendrier scolaire 2025-2026 de l'offre fictive (zone B) et services qui en découlent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

DEBUT: Final = date(2025, 9, 1)
FIN: Final = date(2026, 8, 31)
#: Mardi de période scolaire étudié par défaut.
DATE_SERVICE: Final = date(2026, 3, 17)
#: Vacances scolaires, bornes comprises.
VACANCES: Final = (
    (date(2025, 10, 18), date(2025, 11, 2)),
    (date(2025, 12, 20), date(2026, 1, 4)),
    (date(2026, 2, 14), date(2026, 3, 1)),
    (date(2026, 4, 11), date(2026, 4, 26)),
    (date(2026, 7, 4), date(2026, 8, 31)),
)
FERIES: Final = (
    date(2025, 11, 1),
    date(2025, 11, 11),
    date(2025, 12, 25),
    date(2026, 1, 1),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 8),
    date(2026, 5, 14),
    date(2026, 5, 25),
    date(2026, 7, 14),
    date(2026, 8, 15),
)


def jours() -> list[date]:
    """Tous les jours de l'année de service."""
    return [DEBUT + timedelta(days=i) for i in range((FIN - DEBUT).days + 1)]


def est_vacances(jour: date) -> bool:
    """Vrai pendant les vacances scolaires."""
    return any(debut <= jour <= fin for debut, fin in VACANCES)


def service_du_jour(jour: date) -> str:
    """Type de jour : ``JS`` (semaine scolaire), ``VAC``, ``SAM`` ou ``DIM`` (fêtes comprises)."""
    if jour in FERIES or jour.weekday() == 6:
        return "DIM"
    if jour.weekday() == 5:
        return "SAM"
    return "VAC" if est_vacances(jour) else "JS"

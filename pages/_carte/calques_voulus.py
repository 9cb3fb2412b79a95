"""Calques voulus d'une carte, du dessus vers le dessous : lus d'une adresse et contrôlés."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote

from donnees_geo.erreurs import ErreurConfiguration

CALQUES_MAX: Final = 12
OPACITE_MIN, OPACITE_MAX = 10, 100
COLONNE_MAX: Final = 80
#: Début d'identifiant des fichiers déposés, que seule leur session connaît.
PREFIXE_DEPOT: Final = "depot-"
_IDENTIFIANT: Final = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True)
class CalqueVoulu:
    """Un calque à montrer.

    Attributes
    ----------
    id
        Identifiant du calque.
    opacite
        10 à 100, pour cent.
    colonne
        Colonne d'après laquelle colorer une couche libre, vide : une seule couleur.
    """

    id: str
    opacite: int = 80
    colonne: str = ""

    def __str__(self) -> str:
        suite = f":{quote(self.colonne, safe='')}" if self.colonne else ""
        return f"{self.id}:{self.opacite}{suite}"

    @property
    def depose(self) -> bool:
        """Vrai pour un fichier déposé, propre à la session : il ne s'écrit pas dans l'adresse."""
        return self.id.startswith(PREFIXE_DEPOT)


def lire_calque(texte: str) -> CalqueVoulu:
    """Lire « identifiant:opacité » ou « identifiant:opacité:colonne ».

    Raises
    ------
    ErreurConfiguration
        Texte d'une autre forme, opacité hors de 10 à 100.

    Examples
    --------
    >>> lire_calque("friches:60")
    CalqueVoulu(id='friches', opacite=60, colonne='')
    """
    identifiant, _, suite = texte.partition(":")
    opacite, _, colonne = suite.partition(":")
    valable = (
        _IDENTIFIANT.fullmatch(identifiant)
        and re.fullmatch(r"\d{2,3}", opacite)
        and OPACITE_MIN <= int(opacite) <= OPACITE_MAX
        and len(unquote(colonne)) <= COLONNE_MAX
    )
    if not valable:
        raise ErreurConfiguration(
            "Ce calque n'est pas valable.",
            objet="calques",
            attendu=f"identifiant:opacité, opacité de {OPACITE_MIN} à {OPACITE_MAX}",
            trouve=texte[:60],
        )
    return CalqueVoulu(identifiant, int(opacite), unquote(colonne))


def lire_calques(texte: str, connus: Collection[str]) -> list[CalqueVoulu]:
    """Lire une liste de calques, du dessus vers le dessous : « friches:80,qpv:60 ».

    Raises
    ------
    ErreurConfiguration
        Calque inconnu, répété ou mal écrit, ou plus de :data:`CALQUES_MAX`.
    """
    calques = [lire_calque(t) for t in texte.split(",") if t]
    inconnus = [c.id for c in calques if c.id not in connus]
    if inconnus or len({c.id for c in calques}) != len(calques) or len(calques) > CALQUES_MAX:
        raise ErreurConfiguration(
            "Ces calques ne sont pas valables.",
            objet="calques",
            attendu=f"au plus {CALQUES_MAX} calques du territoire, chacun une fois",
            trouve=", ".join(inconnus)[:80] or texte[:80],
        )
    return calques


def ecrire_calques(calques: Sequence[CalqueVoulu]) -> str:
    """Texte de calques pour une adresse ou une vue, sans les fichiers déposés."""
    return ",".join(str(c) for c in calques if not c.depose)


def deplacer(calques: Sequence[CalqueVoulu], identifiant: str, pas: int) -> list[CalqueVoulu]:
    """Monter (``pas`` négatif) ou descendre un calque ; sans effet au bout."""
    suite = list(calques)
    rang = next((i for i, c in enumerate(suite) if c.id == identifiant), None)
    if rang is not None:
        suite.insert(min(max(rang + pas, 0), len(suite) - 1), suite.pop(rang))
    return suite


def modifier(
    calques: Sequence[CalqueVoulu],
    identifiant: str,
    *,
    opacite: int | None = None,
    colonne: str | None = None,
) -> list[CalqueVoulu]:
    """Changer l'opacité ou la colonne d'un calque."""
    return [
        c
        if c.id != identifiant
        else replace(
            c,
            opacite=c.opacite if opacite is None else opacite,
            colonne=c.colonne if colonne is None else colonne,
        )
        for c in calques
    ]

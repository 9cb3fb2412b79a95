"""Calques du territoire et de la session : trouvés, dessinés et décrits pour le navigateur."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from couches.calques.bulles import decrire_objet
from couches.calques.libres import colorer
from couches.calques.modele import Calque
from couches.calques.territoire import lister_calques
from couches.ecran.calques_image import (
    choisir_tolerance,
    construire_formes,
    dessiner_calque,
    objets_sous,
)
from couches.ecran.mercator import Emprise, depuis_degres
from couches.themes import lire_themes
from donnees_geo.erreurs import ErreurConfiguration
from pages._carte.calques_voulus import CalqueVoulu, lire_calque
from pages._commun.memoire import CacheObjets
from pages._commun.partage import Partage

#: Objets décrits par calque sous le curseur.
OBJETS_BULLE: Final = 2
RAYON_MAX_M: Final = 5_000.0


@dataclass(eq=False)
class Depots:
    """Fichiers déposés par une session : en mémoire seulement, et jamais ceux d'une autre.

    Attributes
    ----------
    calques
        Calques, par identifiant, dans l'ordre de dépôt.
    objets
        Calques colorés et formes projetées.
    numero
        Nombre de fichiers reçus depuis le début de la session.
    retour
        Compte rendu du dernier dépôt (HTML), vide sans dépôt.
    """

    calques: dict[str, Calque] = field(default_factory=dict)
    objets: CacheObjets = field(default_factory=lambda: CacheObjets(16))
    numero: int = 0
    retour: str = ""


#: La session tient ses dépôts ; quand Streamlit l'oublie, ils disparaissent d'ici.
_DEPOTS: Final[weakref.WeakValueDictionary[str, Depots]] = weakref.WeakValueDictionary()


def ouvrir_depots(session: str) -> Depots:
    """Dépôts neufs d'une session ; l'appelant doit les garder tant qu'elle dure."""
    depots = Depots()
    _DEPOTS[session] = depots
    return depots


def calques_du_territoire(partage: Partage) -> dict[str, Calque]:
    """Calques du territoire, par identifiant."""
    return partage.objets.obtenir(
        ("calques",), lambda: lister_calques(partage.territoire, lire_themes(partage.territoire))
    )


def trouver_calque(partage: Partage, voulu: CalqueVoulu, session: str) -> Calque:
    """Calque du territoire ou de la session, coloré d'après la colonne voulue.

    Raises
    ------
    ErreurConfiguration
        Calque inconnu, ou déposé par une autre session.
    """
    depots = _DEPOTS.get(session) if voulu.depose else None
    connus = calques_du_territoire(partage) if not voulu.depose else {}
    if depots is not None:
        connus = depots.calques
    calque = connus.get(voulu.id)
    if calque is None:
        raise ErreurConfiguration("Ce calque n'existe pas ou n'est plus là.", objet=voulu.id)
    if not voulu.colonne:
        return calque
    cache = partage.objets if depots is None else depots.objets
    return cache.obtenir(
        ("calque", voulu.id, voulu.colonne), lambda: colorer(calque, voulu.colonne)
    )


def image_calque(
    partage: Partage,
    voulu: CalqueVoulu,
    session: str,
    vue: tuple[Emprise, int, int],
    echelle: float,
) -> bytes:
    """Image d'un calque sur une vue ; celle du territoire est gardée pour toutes les sessions.

    Parameters
    ----------
    vue
        Emprise (mètres Mercator), largeur et hauteur en pixels.
    echelle
        Agrandissement des traits et des signes.

    Raises
    ------
    ErreurConfiguration
        Comme :func:`trouver_calque`.
    """
    calque = trouver_calque(partage, voulu, session)
    emprise, largeur, hauteur = vue
    tolerance = choisir_tolerance(emprise, largeur)
    depots = _DEPOTS.get(session) if voulu.depose else None
    cache = partage.objets if depots is None else depots.objets
    formes = cache.obtenir(
        ("formes", voulu.id, voulu.colonne, tolerance),
        lambda: construire_formes(calque, tolerance),
    )

    def dessiner() -> bytes:
        return dessiner_calque(
            formes,
            calque.classes,
            emprise,
            largeur,
            hauteur,
            echelle=echelle,
            reperer=calque.reperer,
        )

    if voulu.depose:
        return dessiner()
    cle = f"{partage.cle}/calque/{voulu.id}/{voulu.colonne}/{echelle}/{vue}"
    return partage.images.obtenir(cle, dessiner)


def decrire_sous(
    partage: Partage,
    voulus: Sequence[CalqueVoulu],
    session: str,
    point: tuple[float, float],
    rayon_m: float,
) -> list[list[str]]:
    """Bulle des objets sous le curseur, calque par calque, du dessus vers le dessous.

    Parameters
    ----------
    voulus
        Calques montrés.
    point
        ``(lon, lat)``, degrés.
    rayon_m
        Tolérance du pointage, mètres.
    """
    x, y = depuis_degres(*point, partage.territoire.crs)
    rayon_m = min(max(rayon_m, 0.0), RAYON_MAX_M)
    blocs = []
    for voulu in voulus:
        calque = trouver_calque(partage, voulu, session)
        # Une surface se pointe dedans ; un point ou une ligne, à quelques pixels près.
        lignes = objets_sous(calque, x, y, rayon_m, OBJETS_BULLE)
        blocs += [decrire_objet(calque, int(ligne)) for ligne in lignes]
    return blocs


def lire_voulus(texte: str) -> list[CalqueVoulu]:
    """Calques d'une demande du navigateur, séparés par des virgules.

    Raises
    ------
    ErreurConfiguration
        Calque mal écrit.
    """
    return [lire_calque(t) for t in texte.split(",") if t]

"""Porte d'entrée des données : vérifier, préparer et charger un territoire.

Charger un territoire ne demande ni les lecteurs de sources ni leurs bibliothèques (tableurs,
rasters, OpenStreetMap) : ils ne sont importés que pour vérifier ou préparer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from donnees_geo.configuration import (
    Manifeste,
    Parametres,
    lire_parametres,
    lire_services,
    lister_fichiers,
)
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite, lever_si_bloquant
from donnees_geo.schemas import SCHEMAS
from donnees_geo.territoire.modele import BilanPreparation, SourceLue, Territoire
from donnees_geo.territoire.stockage import (
    calculer_empreinte,
    charger_territoire,
    ecrire_territoire,
    empreinter_sources,
    est_a_jour,
    lire_index,
    verifier_sortie,
)
from donnees_geo.verrou import verrouiller

if TYPE_CHECKING:
    from donnees_geo.territoire.sources import Progression

__all__ = [
    "BilanPreparation",
    "SourceLue",
    "Territoire",
    "charger_territoire",
    "preparer_territoire",
    "verifier_territoire",
]


def verifier_territoire(
    manifeste: Manifeste,
    *,
    progression: Progression | None = None,
    parametres: Parametres | None = None,
) -> list[Constat]:
    """Lire toutes les sources d'un manifeste et dire tout ce qui ne va pas.

    Parameters
    ----------
    manifeste
        Manifeste, de préférence lu avec ``exiger_fichiers=False`` : un fichier absent est alors un
        constat comme les autres.
    progression
        Appelée avec un message et la part accomplie.
    parametres
        Hypothèses ; celles du programme par défaut.

    Returns
    -------
    list of Constat
        Du plus au moins grave. Une source illisible est un constat bloquant.
    """
    from donnees_geo.territoire.sources import lire_sources

    lues = lire_sources(manifeste, parametres or lire_parametres(), progression)
    # Un fichier absent que sa lecture a déjà dit ne l'est pas deux fois.
    deja = " ".join(c.message for c in lues.constats)
    absents = [
        Constat(Gravite.BLOQUANT, cle, f"fichier introuvable : {chemin}")
        for cle, chemin in lister_fichiers(manifeste)
        if not chemin.exists() and str(chemin) not in deja
    ]
    ordre = list(Gravite)
    return sorted(absents + lues.constats, key=lambda constat: ordre.index(constat.gravite))


def preparer_territoire(
    manifeste: Manifeste,
    sortie: Path | str,
    *,
    progression: Progression | None = None,
    parametres: Parametres | None = None,
) -> BilanPreparation:
    """Préparer un territoire dans un dossier.

    Sans changement des sources, du catalogue ni de la marge, rien n'est refait. L'ancien territoire
    reste en vigueur jusqu'à ce que le neuf soit complet.

    Parameters
    ----------
    manifeste
        Demande.
    sortie
        Dossier, nouveau, vide ou déjà préparé.
    progression
        Appelée avec un message et la part accomplie.
    parametres
        Hypothèses ; celles du programme par défaut. Seule la marge sert à la préparation.

    Raises
    ------
    ErreurDonnees
        Au moins un constat bloquant (tous sont énumérés), sortie refusée, autre préparation en
        cours dans ce dossier, écriture impossible.
    """
    from donnees_geo.territoire.demande import calculer_marge_m

    sortie = Path(sortie)
    parametres = parametres or lire_parametres()
    verifier_sortie(sortie)
    for cle, chemin in lister_fichiers(manifeste):
        if not chemin.exists():
            raise ErreurDonnees("Fichier introuvable.", objet=f"{chemin} ({cle})")
    services = lire_services(manifeste.catalogue)
    sources = empreinter_sources(manifeste)
    empreinte = calculer_empreinte(manifeste, sources, services, calculer_marge_m(parametres))
    # Sans travail à faire, un dossier en lecture seule convient aussi bien.
    if not est_a_jour(sortie, empreinte):
        with verrouiller(sortie, "Une autre préparation écrit déjà dans ce dossier."):
            if not est_a_jour(sortie, empreinte):  # l'autre a pu finir entre-temps
                return _preparer(manifeste, sortie, parametres, sources, empreinte, progression)
    constats = tuple(charger_constats(sortie))
    return BilanPreparation(sortie, False, empreinte, {}, constats, {})


def _preparer(
    manifeste: Manifeste,
    sortie: Path,
    parametres: Parametres,
    sources: Sequence[SourceLue],
    empreinte: str,
    progression: Progression | None,
) -> BilanPreparation:
    """Lire les sources et écrire le territoire ; le dossier est tenu par l'appelant."""
    from donnees_geo.territoire.provenance import completer_sources
    from donnees_geo.territoire.sources import lire_sources

    lues = lire_sources(manifeste, parametres, progression)
    lever_si_bloquant(lues.constats)
    completes = completer_sources(manifeste, sources, lues.dates)
    ecrire_territoire(lues, manifeste, completes, empreinte, sortie)
    if progression is not None:
        progression("Territoire écrit", 1.0)
    comptes = {nom: len(getattr(lues, nom)) for nom in SCHEMAS}
    if lues.reseau is not None:
        comptes["noeuds"] = lues.reseau.nombre_noeuds
        comptes["troncons"] = lues.reseau.nombre_troncons
    return BilanPreparation(
        sortie, True, empreinte, comptes, tuple(lues.constats), dict(lues.durees_s)
    )


def charger_constats(dossier: Path) -> list[Constat]:
    """Constats gardés dans un territoire préparé."""
    index = lire_index(dossier)
    return [Constat(Gravite(c["gravite"]), c["objet"], c["message"]) for c in index["constats"]]

"""Enchaînement d'un téléchargement : délimiter, chercher, recevoir, découper, dire."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from donnees_geo.configuration import lire_parametres
from donnees_geo.ecriture import retirer_restes
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees, ErreurProjet
from donnees_geo.telechargement.cache import Cache, dossier_cache_par_defaut
from donnees_geo.telechargement.catalogue import (
    SOURCE_COMMUNES,
    SOURCE_DEPARTEMENTS,
    SOURCE_EPCI,
    SOURCE_VOISINES,
    Catalogue,
    SourceOuverte,
    lire_catalogue,
)
from donnees_geo.telechargement.cible import (
    Cible,
    ajouter_departements,
    ajouter_voisines,
    delimiter,
)
from donnees_geo.telechargement.client import Client, Reglages
from donnees_geo.telechargement.manifeste import (
    composer_manifeste,
    ecrire_manifeste,
    lister_flux,
    proposer_date,
)
from donnees_geo.telechargement.modele import Bilan, EtatSource
from donnees_geo.telechargement.preliminaires import lire_nom, obtenir_seul
from donnees_geo.telechargement.reception import Reception
from donnees_geo.telechargement.trace import Trace, ecrire_trace, lire_trace
from donnees_geo.telechargement.variantes import ChoixOsm, Retenues, retenir_sources
from donnees_geo.territoire.demande import calculer_marge_m
from donnees_geo.verrou import verrouiller

journal = logging.getLogger(__name__)

Progression = Callable[[str, float], None]

#: Ajouté à la marge de calcul : la découpe ne doit rien retirer de ce que la lecture garde.
DEBORD_M: Final = 500.0
#: Taille à partir de laquelle un fichier quitte un cache qu'on allège.
GROS_FICHIER_OCTETS: Final = 10 * 1024**2
_PRELIMINAIRES: Final = (SOURCE_EPCI, SOURCE_DEPARTEMENTS)


@dataclass(frozen=True)
class Demande:
    """Ce que l'utilisateur demande.

    Attributes
    ----------
    epci
        Code SIREN de l'intercommunalité, 9 chiffres.
    sortie
        Dossier du territoire, créé au besoin.
    catalogue
        Catalogue des sources ; ``None`` : celui du programme.
    cache
        Dossier du cache ; ``None`` : celui de l'utilisateur.
    hors_ligne
        N'employer que le cache.
    simuler
        Dire ce qui serait téléchargé, sans rien écrire dans ``sortie``.
    rafraichir
        Redemander au serveur ce qui est déjà en cache.
    alleger
        Retirer du cache, à la fin, les gros fichiers découpés : un autre territoire, ou un
        rafraîchissement, les téléchargera de nouveau.
    seulement
        Identifiants des sources à traiter ; vide : toutes.
    marge_m
        Élargissement, mètres ; ``None`` : celui du calcul.
    osm
        Extrait régional, Overpass, ou selon la taille du territoire.
    aujourdhui
        Date à laquelle un flux de transport est jugé périmé.
    """

    epci: str
    sortie: Path
    catalogue: Path | None = None
    cache: Path | None = None
    hors_ligne: bool = False
    simuler: bool = False
    rafraichir: bool = False
    alleger: bool = False
    seulement: tuple[str, ...] = ()
    marge_m: float | None = None
    osm: ChoixOsm = "auto"
    aujourdhui: date = field(default_factory=date.today)
    reglages: Reglages = field(default_factory=Reglages)


def telecharger_territoire(demande: Demande, progression: Progression | None = None) -> Bilan:
    """Télécharger et découper les données ouvertes d'une intercommunalité.

    Une source en échec n'arrête pas les autres. Un fichier présent que le programme n'a pas écrit
    (posé ou modifié à la main) est gardé et employé.

    Parameters
    ----------
    demande
        EPCI, dossier, options.
    progression
        Appelée avec un message et la part accomplie.

    Returns
    -------
    Bilan

    Raises
    ------
    ErreurConfiguration
        Code d'EPCI mal écrit, source inconnue, options contraires, catalogue fautif.
    ErreurDonnees
        Communes introuvables : sans elles rien ne se délimite. Sortie d'un autre EPCI, ou qu'une
        autre exécution remplit ; une exécution qui emploie le même cache est attendue.
    """
    catalogue = lire_catalogue(demande.catalogue)
    _verifier_demande(demande, catalogue)
    dire = progression or (lambda _message, _part: None)
    client = None if demande.hors_ligne else Client(demande.reglages)
    cache = Cache(
        demande.cache or dossier_cache_par_defaut(), client, rafraichir=demande.rafraichir
    )
    with ExitStack() as pile:
        if not demande.simuler:
            pile.enter_context(
                verrouiller(demande.sortie, "Un autre téléchargement remplit déjà ce dossier.")
            )
        if client is not None:
            # Hors ligne, le cache n'est que lu, et peut être en lecture seule.
            pile.enter_context(
                verrouiller(
                    cache.dossier,
                    "Un autre téléchargement emploie déjà ce cache.",
                    patienter=lambda: dire("Un autre téléchargement emploie le cache ; attente", 0),
                )
            )
        return _telecharger(demande, catalogue, cache, dire)


def _telecharger(demande: Demande, catalogue: Catalogue, cache: Cache, dire: Progression) -> Bilan:
    """Délimiter le territoire, puis simuler ou exécuter ; les dossiers sont tenus."""
    trace = lire_trace(demande.sortie)
    if trace.epci and trace.epci != demande.epci:
        raise ErreurConfiguration(
            "Ce dossier contient un autre territoire.",
            objet=demande.sortie,
            attendu=f"EPCI {demande.epci}",
            trouve=f"EPCI {trace.epci}",
            conseil="choisissez un autre dossier de sortie",
        )
    dire("Communes", 0.0)
    cible, notes = _delimiter(demande, catalogue, cache, trace)
    retenues = retenir_sources(catalogue, demande.osm, cible)
    if demande.simuler:
        reception = Reception(
            cible, retenues.catalogue, cache, trace, demande.sortie, demande.aujourdhui
        )
        etats = _simuler(reception, _choisir(retenues.catalogue, demande, cible), dire)
        return _bilan(cible, demande, etats, None, ())
    trace.epci = demande.epci
    for source in catalogue.sources:
        retirer_restes(demande.sortie / source.fichier)
    return _executer(demande, retenues, cache, trace, cible, notes, dire)


def _executer(
    demande: Demande,
    retenues: Retenues,
    cache: Cache,
    trace: Trace,
    cible: Cible,
    notes: dict[str, str],
    dire: Progression,
) -> Bilan:
    catalogue = retenues.catalogue
    reception = Reception(cible, catalogue, cache, trace, demande.sortie, demande.aujourdhui)
    choisies = _choisir(catalogue, demande, cible)
    etats: list[EtatSource] = []
    for rang, source in enumerate(choisies):
        part = rang / len(choisies)

        def avancer(message: str, fait: float, debut: float = part) -> None:
            dire(message, 0.02 + 0.98 * (debut + fait / len(choisies)))

        avancer(source.titre, 0.0)
        remplacee = next((e for e in etats if e.id == source.secours_de), None)
        etats.append(
            reception.ecarter(source, f"« {remplacee.titre} » suffit")
            if remplacee is not None and remplacee.fichiers
            else _traiter(source, retenues.replis.get(source.id), reception, avancer)
        )
        ecrire_trace(trace, demande.sortie)  # ce qui est acquis le reste si l'on interrompt
    etats = [_annoter(e, notes.get(e.id, "")) for e in etats]
    present = _fichiers_presents(catalogue, etats, reception, demande)
    flux = lister_flux(present, catalogue.sources)
    dire("Jour de transport étudié", 0.99)
    jour = proposer_date(flux, demande.sortie, cible, trace)
    texte = composer_manifeste(cible, present, catalogue.sources, jour)
    manifeste = ecrire_manifeste(texte, demande.sortie, trace)
    ecrire_trace(trace, demande.sortie)
    if demande.alleger:
        liberes = cache.alleger(GROS_FICHIER_OCTETS)
        journal.info("cache allégé de %d Mo", liberes // 1024**2)
    dire("Terminé", 1.0)
    return _bilan(cible, demande, etats, manifeste, tuple(reception.changements))


def _traiter(
    source: SourceOuverte, repli: SourceOuverte | None, reception: Reception, avancer: Progression
) -> EtatSource:
    """Traiter une source ou, si elle ne donne rien, celle dont elle est la variante."""
    if repli is None:
        return reception.traiter(source, avancer)
    if reception.est_complete(repli):  # pris ainsi une fois précédente : rien n'est redemandé
        return reception.traiter(repli, avancer)
    etat = reception.traiter(source, avancer)
    if etat.fichiers:
        return etat
    return _annoter(reception.traiter(repli, avancer), f"{source.titre} : {etat.message}")


def _fichiers_presents(
    catalogue: Catalogue, etats: Sequence[EtatSource], reception: Reception, demande: Demande
) -> dict[str, Sequence[str]]:
    """Fichiers de chaque source, y compris celles que cette exécution n'a pas traitées."""
    traites = {e.id: e.fichiers for e in etats}
    return {s.id: traites.get(s.id) or reception.fichiers_de(s) for s in catalogue.sources}


def _verifier_demande(demande: Demande, catalogue: Catalogue) -> None:
    if len(demande.epci) != 9 or not demande.epci.isdigit():
        raise ErreurConfiguration(
            "Code d'EPCI mal écrit.",
            objet="--epci",
            attendu="9 chiffres (numéro SIREN), par exemple 200072460",
            trouve=demande.epci,
        )
    if demande.hors_ligne and demande.rafraichir:
        raise ErreurConfiguration(
            "« hors ligne » et « rafraîchir » se contredisent.",
            objet="--hors-ligne --rafraichir",
            conseil="gardez l'un des deux",
        )
    ids = [s.id for s in catalogue.sources if not s.variante_de]
    inconnues = [i for i in demande.seulement if i not in ids]
    if inconnues:
        raise ErreurConfiguration(
            "Source inconnue.",
            objet="--sources",
            attendu=", ".join(ids),
            trouve=", ".join(inconnues),
        )
    if demande.sortie.exists() and not demande.sortie.is_dir():
        raise ErreurConfiguration(
            "La sortie doit être un dossier.", objet=demande.sortie, trouve="un fichier"
        )


def _choisir(catalogue: Catalogue, demande: Demande, cible: Cible) -> list[SourceOuverte]:
    """Sources à traiter : celles du territoire, limitées à la demande."""
    return [
        source
        for source in catalogue.sources
        if source.id not in _PRELIMINAIRES
        and (not demande.seulement or source.id in demande.seulement)
        and (not source.departements or set(source.departements) & set(cible.departements))
    ]


def _delimiter(
    demande: Demande, catalogue: Catalogue, cache: Cache, trace: Trace
) -> tuple[Cible, dict[str, str]]:
    """Territoire visé, et ce qu'il faut dire de sources qui ont servi à le délimiter."""
    source = catalogue.source(SOURCE_COMMUNES)
    if source is None:  # le catalogue a été vérifié
        raise ErreurConfiguration("La source des communes manque.", objet=catalogue.chemin)
    marge_m = demande.marge_m
    if marge_m is None:
        marge_m = calculer_marge_m(lire_parametres()) + DEBORD_M
    nom = lire_nom(demande.epci, catalogue, cache)
    communes = obtenir_seul(
        source, {"epci": demande.epci}, cache, trace=trace, dossier=demande.sortie
    )
    cible = delimiter(communes, demande.epci, nom, catalogue, marge_m)
    notes: dict[str, str] = {}
    contours = catalogue.source(SOURCE_DEPARTEMENTS)
    try:
        if contours is None:
            raise ErreurDonnees("Le catalogue n'a pas de contours de départements.")
        cible = ajouter_departements(cible, obtenir_seul(contours, {}, cache))
    except ErreurProjet as erreur:
        notes[SOURCE_COMMUNES] = (
            "les départements voisins n'ont pas pu être cherchés, la marge peut y manquer de "
            f"données ({erreur.message.rstrip('.')})"
        )
    voisines = catalogue.source(SOURCE_VOISINES)
    for code in cible.departements if voisines is not None else ():
        try:
            fichier = obtenir_seul(voisines, {"departement": code}, cache)
            cible = ajouter_voisines(cible, fichier)
        except ErreurProjet as erreur:  # dit par la source elle-même quand vient son tour
            journal.info("communes du département %s : %s", code, erreur)
    return cible, notes


def _simuler(
    reception: Reception, sources: Sequence[SourceOuverte], dire: Progression
) -> list[EtatSource]:
    etats = []
    for rang, source in enumerate(sources):
        dire(f"Taille de {source.titre}", rang / len(sources))
        remplacee = next((s for s in sources if s.id == source.secours_de), None)
        etats.append(
            reception.prevoir(source)
            if remplacee is None
            else reception.reserver(source, remplacee.titre)
        )
    return etats


def _annoter(etat: EtatSource, note: str) -> EtatSource:
    if not note:
        return etat
    message = " ; ".join(m for m in (etat.message, note) if m)
    return EtatSource(**{**etat.__dict__, "message": message})


def _bilan(
    cible: Cible,
    demande: Demande,
    etats: Sequence[EtatSource],
    manifeste: Path | None,
    changements: tuple[str, ...],
) -> Bilan:
    return Bilan(
        nom=cible.nom,
        epci=cible.epci,
        dossier=demande.sortie,
        communes=len(cible.communes),
        population_hab=float(cible.communes["population_hab"].sum(min_count=1)),
        departements=cible.departements,
        marge_m=cible.marge_m,
        manifeste=manifeste,
        sources=tuple(etats),
        changements=changements,
    )

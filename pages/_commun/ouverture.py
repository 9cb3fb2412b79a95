"""Ouvrir un territoire pour le serveur : étude relue ou calculée, noyaux préparés d'avance."""

from __future__ import annotations

import logging
import os
from datetime import date
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accessibilite.etude import ResultatEtude, calculer_etude
from couches.ecran.carreaux_image import dessiner_carreaux
from couches.ecran.fond import OptionsReperes, dessiner_fond, dessiner_reperes
from couches.ecran.hors_ligne import lister_police
from couches.ecran.mercator import projeter, vers_degres
from couches.resultats import DOSSIER_ETUDE, ecrire_resultats, lire_resultats
from couches.styles import lire_styles
from donnees_geo.configuration import Parametres, lire_parametres
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.territoire import Territoire, charger_territoire
from pages._carte.demandes import MODES, DemandeIsochrone
from pages._carte.mesures import mesurer
from pages._carte.recherche import repertoire_de
from pages._commun.partage import PARTAGES_OUVERTS, Partage, Progression

_JOURNAL = logging.getLogger(__name__)
RACINE: Final = Path(__file__).resolve().parent.parent.parent
VARIABLE_DOSSIER: Final = "DEMI_HEURE_DOSSIER"
DOSSIER_DEFAUT: Final = RACINE / "donnees" / "demo-prepare"
#: Bandes du clic fait d'avance, minutes : celles de départ du visualiseur.
BANDES_PREPAREES: Final = (5.0, 10.0, 15.0)
#: Répit laissé à une session qui attend sa première carte, s.
DELAI_PREPARATION_S: Final = 2.0
_VERROU_PARTAGES = Lock()


def dossier_du_serveur() -> Path:
    """Dossier préparé que sert ce serveur."""
    return Path(os.environ.get(VARIABLE_DOSSIER) or DOSSIER_DEFAUT)


def ouvrir_en_fond() -> None:
    """Ouvrir le territoire dès le démarrage du serveur, avant la première visite.

    Seulement si son étude est déjà calculée : sinon, c'est à la première session de la calculer en
    montrant l'avancement.
    """
    dossier = dossier_du_serveur()
    if (dossier / DOSSIER_ETUDE).is_dir():
        Thread(target=_ouvrir_sans_faute, args=(dossier,), daemon=True).start()


def _ouvrir_sans_faute(dossier: Path) -> None:
    try:
        obtenir_partage(dossier)
    except ErreurProjet as erreur:
        # La première session rencontrera la même erreur, et la dira à l'écran.
        _JOURNAL.info("Territoire non ouvert d'avance : %s", erreur)


def prechauffer(partage: Partage) -> None:
    """Charger les noyaux compilés et ce que demandera un clic : le premier vaut les suivants."""
    t = partage.territoire
    if t.carreaux.empty:
        return
    poids = np.nan_to_num(partage.ponderation[0])
    centre = t.carreaux.geometry.iloc[int(poids.argmax())].centroid
    x, y = np.array([centre.x]), np.array([centre.y])
    try:
        _prechauffer_dessin(partage, x, y)
        lon, lat = vers_degres(x, y, t.crs)
        point = (round(float(lon[0]), 5), round(float(lat[0]), 5))
        for mode in (m for m in MODES if m in partage.resultat.modes):
            mesurer(partage, DemandeIsochrone((point,), mode, BANDES_PREPAREES, "depuis"))
        repertoire_de(partage)
    except ErreurProjet as erreur:
        _JOURNAL.info("Préparation des clics interrompue : %s", erreur)


def _prechauffer_dessin(partage: Partage, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    mx, my = (float(c[0]) for c in projeter(x, y, partage.territoire.crs))
    emprise = (mx - 500.0, my - 500.0, mx + 500.0, my + 500.0)
    dessiner_fond(partage.fond, partage.styles, emprise, 64)
    options = OptionsReperes(noms=True, limites=True, echelle=1.0)
    dessiner_reperes(partage.fond, partage.styles, emprise, 64, 64, partage.police, options)
    service = partage.territoire.services[0].id
    classes = partage.classes((service,), partage.resultat.modes[0])
    dessiner_carreaux(partage.grille, classes, partage.styles, emprise, 64, 64)


def obtenir_partage(dossier: Path, progression: Progression | None = None) -> Partage:
    """Territoire d'un dossier préparé, chargé une seule fois ; rechargé s'il a été préparé à neuf.

    Parameters
    ----------
    dossier
        Dossier préparé.
    progression
        Rappel ``(étape, part faite)``, appelé si l'étude doit être calculée.

    Raises
    ------
    ErreurProjet
        Dossier qui n'est pas un territoire préparé, ou étude impossible.
    """
    index = dossier / "territoire.json"
    instant = index.stat().st_mtime_ns if index.is_file() else 0
    cle = f"{dossier}|{instant}"
    with _VERROU_PARTAGES:
        if cle not in PARTAGES_OUVERTS:
            partage = _ouvrir(dossier, progression)
            for ancienne in [c for c in PARTAGES_OUVERTS if c.startswith(f"{dossier}|")]:
                del PARTAGES_OUVERTS[ancienne]
            PARTAGES_OUVERTS[cle] = partage
        return PARTAGES_OUVERTS[cle]


def _ouvrir(dossier: Path, progression: Progression | None) -> Partage:
    territoire = charger_territoire(dossier)
    parametres = lire_parametres()
    relue = _relire_etude(dossier, territoire, parametres)
    resultat = relue or _calculer(dossier, territoire, parametres, progression)
    partage = Partage(
        territoire=territoire,
        resultat=resultat,
        parametres=parametres,
        styles=lire_styles(),
        police=lister_police(),
        etude_relue=relue is not None,
    )
    suite = Timer(DELAI_PREPARATION_S, prechauffer, args=(partage,))
    suite.daemon = True
    suite.start()
    return partage


def _calculer(
    dossier: Path,
    territoire: Territoire,
    parametres: Parametres,
    progression: Progression | None,
) -> ResultatEtude:
    resultat = calculer_etude(territoire, None, parametres, progression=progression)
    try:
        ecrire_resultats(
            resultat, dossier / DOSSIER_ETUDE, nom=territoire.nom, fictif=territoire.fictif
        )
    except ErreurProjet as erreur:
        # Un dossier en lecture seule n'empêche pas de consulter ; l'étude sera recalculée.
        _JOURNAL.warning("L'étude n'a pas pu être gardée : %s", erreur)
    return resultat


def _relire_etude(
    dossier: Path, territoire: Territoire, parametres: Parametres
) -> ResultatEtude | None:
    """Étude gardée, si elle est bien celle de ce territoire et de ces hypothèses."""
    try:
        lu = lire_resultats(dossier / DOSSIER_ETUDE)
    except (ErreurProjet, OSError, ValueError, KeyError):
        return None
    d = lu.description
    identique = (
        d.get("empreinte_territoire") == territoire.empreinte
        and _normaliser(d.get("parametres")) == _normaliser(vars(parametres))
        and d.get("services") == [s.id for s in territoire.services]
        and len(lu.acces) == len(territoire.carreaux)
        and ("tc" in d["modes"]) == bool(d.get("jour"))
    )
    if not identique:
        return None
    return ResultatEtude(
        acces=lu.acces,
        indicateurs=lu.indicateurs,
        carences=lu.carences,
        constats=lu.constats,
        services=territoire.services,
        modes=tuple(d["modes"]),
        parametres=parametres,
        empreinte_territoire=territoire.empreinte,
        jour=date.fromisoformat(d["jour"]) if d.get("jour") else None,
        par_population=d["ponderation"] == "population",
        durees_s=dict(d["durees_s"]),
        sources=territoire.sources,
        aller_retour=bool(d.get("aller_retour", False)),
    )


def _normaliser(valeur: object) -> object:
    """Forme commune à un paramètre en mémoire et à sa relecture en JSON."""
    if isinstance(valeur, dict):
        return {str(c): _normaliser(v) for c, v in valeur.items()}
    if isinstance(valeur, list | tuple):
        return [_normaliser(v) for v in valeur]
    if hasattr(valeur, "__dataclass_fields__"):
        return _normaliser(vars(valeur))
    return valeur

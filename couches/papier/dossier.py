"""Préparer une fois ce que toutes les pages d'un atlas partagent."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.bilans.synthese import compter_atteints, lire_temps
from accessibilite.etude import ResultatEtude
from couches.composition import Theme, decrire_mode, dire_modes, regle_du_palier
from couches.licences import contient_osm, lister_citations
from couches.papier.fiche import compter_services
from couches.papier.fond import Objets, construire_fond_papier
from couches.papier.modele import COULEURS_NOMBRE, CarteSecondaire, Contraintes, Dossier
from couches.papier.polices import PolicesPapier
from couches.sig.styles_couches import couleur_classe
from couches.styles import INACCESSIBLE, SANS_DONNEE, Styles, classer_temps
from couches.textes import jour
from couches.themes import Themes, partager_zonage
from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS, Palier
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.territoire import Territoire

_TC: Final = "tc"


def choisir_theme(
    resultat: ResultatEtude,
    service: str | None = None,
    *,
    palier: Palier | None = None,
    mode: str = PLUS_RAPIDE,
) -> Theme:
    """Thème de la carte principale : un service, ou le panier d'un palier.

    Parameters
    ----------
    resultat
        Étude.
    service
        Service ; par défaut le panier de ``palier``.
    palier
        Palier du panier ; par défaut le premier de l'étude.
    mode
        Mode calculé, ou le plus rapide de ceux que la règle du palier admet.

    Raises
    ------
    ErreurConfiguration
        Service, palier ou mode absents de l'étude.
    """
    if mode != PLUS_RAPIDE and mode not in resultat.modes:
        raise ErreurConfiguration(
            "Mode absent de l'étude.", objet=mode, attendu=", ".join(resultat.modes)
        )
    if service is None:
        presents = [p for p in PALIERS if any(s.palier == p for s in resultat.services)]
        if palier is not None and palier not in presents:
            raise ErreurConfiguration(
                "Palier absent de l'étude.", objet=palier, attendu=", ".join(presents)
            )
        vise = palier or presents[0]
        retenus = tuple(s for s in resultat.services if s.palier == vise)
        seuil = regle_du_palier(resultat.parametres, vise).seuil_s
        return Theme(retenus, vise, True, mode, seuil)
    choisi = next((s for s in resultat.services if s.id == service), None)
    if choisi is None:
        raise ErreurConfiguration(
            "Service inconnu.",
            objet=service,
            attendu=", ".join(s.id for s in resultat.services),
            conseil="employer un identifiant de parametres/services.toml",
        )
    seuil = regle_du_palier(resultat.parametres, choisi.palier).seuil_s
    return Theme((choisi,), choisi.palier, False, mode, seuil)


def composer_dossier(
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    themes: Themes,
    styles: Styles,
    polices: PolicesPapier,
    date_edition: date,
) -> Dossier:
    """Rassembler fond, classes, légendes et mentions."""
    temps = lire_temps(resultat, theme.ids, theme.mode)
    retenus = territoire.equipements[territoire.equipements["service"].astype(str).isin(theme.ids)]
    quoi = (
        f"Temps jusqu’au plus lointain des {compter_services(resultat, theme.palier)} "
        + (
            "de proximité"
            if theme.palier == "proximite"
            else f"du palier {LIBELLES_PALIERS[theme.palier]}"
        )
        if theme.panier
        else f"Temps jusqu’au lieu le plus proche : {theme.services[0].libelle}"
    )
    return Dossier(
        territoire=territoire.nom,
        fictif=territoire.fictif,
        date_edition=jour(date_edition),
        hypotheses=dire_hypotheses_papier(resultat, territoire),
        sources=_citer(territoire),
        licence=_dire_licence(territoire),
        fond=construire_fond_papier(territoire),
        carreaux=_indexer(territoire.carreaux.geometry.to_numpy()),
        styles=styles,
        polices=polices,
        classes=classer_temps(temps, styles),
        titre_legende=f"{quoi}, {dire_modes(resultat, theme)}",
        unite_legende="habitants" if resultat.par_population else "surface",
        secondaire=_carte_secondaire(resultat, styles),
        lieux=Objets.depuis(shapely.point_on_surface(retenus.geometry.to_numpy())),
        libelle_lieux=(
            f"lieu de service ({LIBELLES_PALIERS[theme.palier]})"
            if theme.panier
            else theme.services[0].libelle
        ),
        contraintes=_contraintes(themes),
    )


def _indexer(geometries: NDArray[np.object_]) -> Objets:
    """Index des carreaux, tous gardés : leur rang est celui des classes."""
    return Objets(geometries, shapely.STRtree(geometries))


def dire_hypotheses_papier(resultat: ResultatEtude, territoire: Territoire) -> str:
    """Vitesses, jour et fenêtre des modes de l'étude, en une phrase."""
    admis = {m for regle in resultat.parametres.seuils for m in regle.modes}
    phrases = [decrire_mode(resultat.parametres, m) for m in resultat.modes if m in admis]
    quand = resultat.jour or territoire.date_service
    if _TC in resultat.modes and quand is not None:
        phrases.append(jour(quand, semaine=True))
    return " ; ".join(phrases)


def _citer(territoire: Territoire) -> tuple[str, ...]:
    citations = lister_citations(territoire) or ["non indiquées"]
    if territoire.fictif:
        citations[0] = f"données simulées dans les formats publics, {citations[0]}"
    return tuple(citations)


def _dire_licence(territoire: Territoire) -> str:
    if territoire.fictif:
        return "Données fictives : ce territoire n’existe pas. Carte produite par Demi-heure."
    mention = "© les contributeurs d’OpenStreetMap (ODbL). " if contient_osm(territoire) else ""
    return f"{mention}Carte produite par Demi-heure, à citer avec ses sources."


def _carte_secondaire(resultat: ResultatEtude, styles: Styles) -> CarteSecondaire:
    """Nombre de services des paliers en transport collectif, ou temps à pied faute d'horaires."""
    en_tc = [r for r in resultat.parametres.seuils if _TC in r.modes]
    vises = [s for s in resultat.services if any(s.palier == r.palier for r in en_tc)]
    if _TC not in resultat.modes or not vises:
        return _carte_a_pied(resultat, styles)
    seuils = {r.palier: r.seuil_s for r in en_tc}
    compte = compter_atteints(
        resultat, [s.id for s in vises], PLUS_RAPIDE, [seuils[s.palier] for s in vises]
    )
    # Un service sans aucun lieu connu ne peut être atteint : il ne compte pas dans le total.
    connus = sum(not bool(np.isnan(lire_temps(resultat, [s.id], PLUS_RAPIDE)).all()) for s in vises)
    bornes = _bornes_nombre(connus)
    classes = np.searchsorted(np.array([haut for _, haut in bornes]), compte).astype(np.uint8)
    # Clair : tous ; foncé : aucun.
    classes = (len(bornes) - 1 - classes).astype(np.uint8)
    classes[compte < 0] = SANS_DONNEE
    couleurs = tuple(
        COULEURS_NOMBRE[round(i * (len(COULEURS_NOMBRE) - 1) / max(len(bornes) - 1, 1))]
        for i in range(len(bornes))
    )
    legende = [
        (couleurs[len(bornes) - 1 - rang], _libelle_nombre(bas, haut, connus))
        for rang, (bas, haut) in enumerate(bornes)
    ]
    return CarteSecondaire(
        "Services à portée en transport collectif",
        classes,
        couleurs,
        (*reversed(legende), *_absences(classes)),
    )


def _bornes_nombre(total: int) -> list[tuple[int, int]]:
    """Aucun, trois tiers de ce qui reste, tous : bornes entières, fermées des deux côtés."""
    interieurs = max(total - 1, 0)
    coupes = sorted({round(interieurs * k / 3) for k in range(4)})
    tiers = [(a + 1, b) for a, b in itertools.pairwise(coupes)]
    return [(0, 0), *tiers, *([(total, total)] if total > 0 else [])]


def _libelle_nombre(bas: int, haut: int, total: int) -> str:
    if haut == 0:
        return "aucun"
    if bas == total:
        return f"les {total} services" if total > 1 else "1 service"
    return str(bas) if bas == haut else f"{bas} à {haut}"


def _carte_a_pied(resultat: ResultatEtude, styles: Styles) -> CarteSecondaire:
    theme = choisir_theme(resultat)
    mode = "marche" if "marche" in resultat.modes else resultat.modes[0]
    classes = classer_temps(lire_temps(resultat, theme.ids, mode), styles)
    *bornes, dernier = [f"{round(b / 60)}" for b in styles.bornes_s]
    noms = [*bornes, f"{dernier} min", f"> {dernier}"]
    return CarteSecondaire(
        f"Services de proximité, {'à pied' if mode == 'marche' else mode} seulement",
        classes,
        styles.couleurs_temps,
        (*zip(styles.couleurs_temps, noms, strict=True), *_absences(classes)),
    )


def _absences(classes: NDArray[np.uint8]) -> list[tuple[str, str]]:
    """Signes des carreaux inaccessibles et sans donnée, s'il y en a."""
    signes = {INACCESSIBLE: ("hachures", "inaccessible"), SANS_DONNEE: ("points", "sans donnée")}
    return [signe for valeur, signe in signes.items() if (classes == valeur).any()]


def _contraintes(themes: Themes) -> Contraintes:
    def objets(table: gpd.GeoDataFrame | None) -> Objets | None:
        if table is None:
            return None
        return Objets.depuis(shapely.make_valid(table.geometry.to_numpy()))

    zonage = None if themes.zones_inondables is None else partager_zonage(themes.zones_inondables)
    friches, commerces = themes.friches, themes.commerces
    if friches is not None:
        friches = friches[friches["dans_stock"]].copy()
        friches.geometry = friches.geometry.representative_point()
    return Contraintes(
        friches=objets(friches),
        interdiction=None if zonage is None else objets(zonage["interdiction"]),
        prescription=None if zonage is None else objets(zonage["prescription"]),
        commerces=None if commerces is None else objets(commerces[~commerces["vacant"]]),
        vacants=None if commerces is None else objets(commerces[commerces["vacant"]]),
        couleurs={
            "friche": couleur_classe("friches", "sans_projet"),
            "interdiction": couleur_classe("zones_inondables_reglement", "interdiction"),
            "prescription": couleur_classe("zones_inondables_reglement", "prescription"),
            "commerce": couleur_classe("commerces", "false"),
        },
    )

"""Couverture, index et page de méthode d'un atlas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from accessibilite.etude import ResultatEtude
from couches.licences import decrire_sources
from couches.papier.carte import (
    bornes_de,
    choisir_cadre,
    dessiner_carreaux,
    dessiner_fond,
    dessiner_rues,
    dessiner_zone,
    ouvrir_carte,
)
from couches.papier.cartes_fiche import dessiner_pastille
from couches.papier.fiche import Fiche
from couches.papier.habillage import dessiner_echelle, dessiner_nord
from couches.papier.mise_en_page import (
    DROITE,
    GAUCHE,
    LARGEUR,
    bandeau_fictif,
    pied_de_page,
)
from couches.papier.modele import Dossier
from couches.papier.noms_carte import ecrire_noms
from couches.papier.page import ENCRE, FILET, GRIS, FormatPage, Page, typographier
from couches.styles import libelles_classes
from couches.tables_export import decrire_hypotheses_etude
from donnees_geo.territoire import Territoire

_COLONNES_INDEX: Final = 2
_LIGNES_INDEX: Final = 50


def pages_index(zones: int) -> int:
    """Nombre de pages d'index."""
    return max(1, math.ceil(zones / (_COLONNES_INDEX * _LIGNES_INDEX)))


def dessiner_couverture(
    dossier: Dossier, fiches: Sequence[Fiche], format_page: FormatPage
) -> Figure:
    """Couverture : titre, carte du territoire, légende."""
    page = Page.ouvrir(format_page, dossier.polices)
    page.texte(GAUCHE, 30.0, "Atlas de l’accès aux services", 14.0, couleur=GRIS)
    bas = _titre_couverture(page, typographier(dossier.territoire))
    nature = "communes" if fiches[0].zone_type == "commune" else "bassins de vie"
    page.texte(
        GAUCHE, bas + 9.0, f"{len(fiches)} {nature} · {dossier.date_edition}", 11.0, couleur=GRIS
    )
    if dossier.fictif:
        bandeau_fictif(page, DROITE, 30.0)
    page.texte(
        GAUCHE,
        bas + 23.0,
        typographier(fiches[0].question),
        page.ajuster(fiches[0].question, LARGEUR, 11.5, 9.0, 600),
        graisse=600,
    )
    bornes = bornes_de(dossier.fond.contour)
    haut = bas + 27.0
    cadre = choisir_cadre(page, (GAUCHE, haut, LARGEUR, 242.0 - haut), bornes)
    axes = ouvrir_carte(page, cadre, dossier.styles)
    dessiner_fond(axes, dossier.fond, cadre, dossier.styles)
    dessiner_carreaux(
        axes,
        dossier.carreaux,
        dossier.classes,
        dossier.styles.couleurs_temps,
        cadre,
        dossier.styles,
    )
    dessiner_rues(axes, dossier.fond, cadre, dossier.styles)
    dessiner_zone(axes, dossier.fond, dossier.fond.contour, cadre, dossier.styles)
    ecrire_noms(page, dossier.fond, cadre, dossier.fond.contour, dossier.styles)
    y = 247.5
    page.texte(GAUCHE, y, typographier(dossier.titre_legende), 8.5, graisse=600)
    classes = list(
        zip(dossier.styles.couleurs_temps, libelles_classes(dossier.styles), strict=True)
    )
    x = GAUCHE
    for couleur, libelle in [*classes, ("hachures", "inaccessible"), ("points", "sans donnée")]:
        dessiner_pastille(page, x, y + 2.6, couleur, dossier.styles)
        page.texte(x + 6.6, y + 5.5, libelle, 8.5)
        x += 6.6 + page.largeur(libelle, 8.5) + 3.2
    dessiner_echelle(page, cadre, GAUCHE, y + 13.0, 50.0)
    dessiner_nord(page, DROITE - 4.0, y + 8.5)
    pied_de_page(page, dossier, "")
    return page.figure


def _titre_couverture(page: Page, nom: str) -> float:
    """Nom du territoire, sur deux lignes s'il est long ; rend la dernière ligne de base."""
    corps = 27.0
    if page.largeur(nom, corps, 700) <= LARGEUR:
        page.texte(GAUCHE, 43.0, nom, corps, graisse=700)
        return 43.0
    corps = 22.0
    while corps > 14.0 and len(page.couper(nom, LARGEUR, corps, 700)) > 2:
        corps -= 1.0
    suite = page.paragraphe(
        GAUCHE, 41.0, nom, LARGEUR, corps, graisse=700, interligne=1.15, lignes_max=2
    )
    return suite - page.pas(corps, 1.15)


def dessiner_index(
    dossier: Dossier,
    fiches: Sequence[Fiche],
    format_page: FormatPage,
    premiere: int,
    total: int,
) -> list[Figure]:
    """Index : chaque zone et sa page, sur deux colonnes : les plus longs noms y tiennent."""
    par_page = _COLONNES_INDEX * _LIGNES_INDEX
    figures = []
    for numero, debut in enumerate(range(0, len(fiches), par_page)):
        page = Page.ouvrir(format_page, dossier.polices)
        page.texte(GAUCHE, 26.5, "Index", 22.0, graisse=700)
        page.texte(GAUCHE, 15.0, typographier(dossier.territoire), 9.0, couleur=GRIS)
        if dossier.fictif:
            bandeau_fictif(page, DROITE, 26.5)
        page.filet(GAUCHE, 31.0, DROITE, 31.0, ENCRE, 1.2)
        morceau = fiches[debut : debut + par_page]
        hauteur = math.ceil(len(morceau) / _COLONNES_INDEX)
        largeur = (LARGEUR - 12.0) / _COLONNES_INDEX
        for rang, fiche in enumerate(morceau):
            x = GAUCHE + (rang // hauteur) * (largeur + 12.0)
            y = 38.0 + (rang % hauteur) * 4.65
            nom = page.raccourcir(fiche.nom, largeur - 10.0, 9.0)
            page.texte(x, y, nom, 9.0)
            page.texte(
                x + largeur, y, str(premiere + debut + rang), 9.0, graisse=600, alignement="right"
            )
            page.filet(x, y + 1.3, x + largeur, y + 1.3, FILET, 0.3)
        pied_de_page(page, dossier, f"{2 + numero} / {total}")
        figures.append(page.figure)
    return figures


def dessiner_methode(
    dossier: Dossier,
    territoire: Territoire,
    resultat: ResultatEtude,
    format_page: FormatPage,
    pagination: str,
) -> Figure:
    """Méthode, limites, sources et licences."""
    page = Page.ouvrir(format_page, dossier.polices)
    page.texte(GAUCHE, 15.0, typographier(dossier.territoire), 9.0, couleur=GRIS)
    page.texte(GAUCHE, 26.5, "Méthode, sources et licences", 22.0, graisse=700)
    if dossier.fictif:
        bandeau_fictif(page, DROITE, 15.0)
    page.filet(GAUCHE, 31.0, DROITE, 31.0, ENCRE, 1.2)
    y = _bloc(
        page,
        38.0,
        "Ce qui est mesuré",
        [
            "Le temps porte à porte de chaque carreau habité de 200 m au lieu le plus proche de "
            "chaque service, sur le réseau réel des rues et des lignes. Les habitants sont comptés "
            "à leur carreau, jamais dans un polygone dessiné.",
            "Les services hors du territoire comptent ; les habitants hors du territoire, non.",
            "« Inaccessible » : aucun trajet dans la durée maximale. « Sans donnée » : carreau "
            "loin de toute rue praticable, ou service sans lieu connu.",
        ],
    )
    y = _bloc(page, y, "Hypothèses", decrire_hypotheses_etude(resultat))
    constats = [f"{c.objet} : {c.message}" for c in (*resultat.constats, *territoire.constats)]
    y = _bloc(
        page, y, "Limites des données", list(dict.fromkeys(constats)), lignes_max=2, bas=200.0
    )
    sources = [s.citer_avec_licence() for s in decrire_sources(territoire)]
    _bloc(page, y, "Sources et licences", sources, lignes_max=2, ailleurs="voir LICENCES.txt")
    pied_de_page(page, dossier, pagination)
    return page.figure


def _bloc(
    page: Page,
    y: float,
    titre: str,
    phrases: Sequence[str],
    *,
    lignes_max: int = 4,
    bas: float = 272.0,
    ailleurs: str = "voir la page Méthode du visualiseur",
) -> float:
    """Titre et phrases à puce ; ce qui ne tient pas au-dessus de ``bas`` est compté."""
    page.texte(GAUCHE, y, titre, 10.5, graisse=600)
    y += 5.0
    for rang, phrase in enumerate(phrases):
        lignes = page.couper(typographier(phrase), LARGEUR - 4.0, 8.5, lignes_max=lignes_max)
        if y + len(lignes) * page.pas(8.5, 1.2) > bas:
            reste = len(phrases) - rang
            page.texte(
                GAUCHE + 4.0,
                y,
                f"… et {reste} de plus : {ailleurs}.",
                8.5,
                couleur=GRIS,
            )
            y += page.pas(8.5, 1.2)
            break
        page.texte(GAUCHE, y, "–", 8.5)
        for ligne in lignes:
            page.texte(GAUCHE + 4.0, y, ligne, 8.5)
            y += page.pas(8.5, 1.2)
    return y + 4.0

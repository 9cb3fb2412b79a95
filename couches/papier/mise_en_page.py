"""Mise en page d'une fiche : titre, chiffres, cartes, tableau des manques, sources.

Toutes les longueurs sont en millimètres de l'A4 ; l'A3 agrandit la maquette sans la changer.
"""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from couches.papier.carte import (
    Cadre,
    bornes_de,
    choisir_cadre,
    dessiner_carreaux,
    dessiner_fond,
    dessiner_points,
    dessiner_rues,
    dessiner_zone,
    ouvrir_carte,
)
from couches.papier.cartes_fiche import dessiner_cartes_secondaires, dessiner_pastille
from couches.papier.fiche import Fiche
from couches.papier.habillage import dessiner_echelle, dessiner_nord, dessiner_situation
from couches.papier.modele import Dossier
from couches.papier.noms_carte import ecrire_noms
from couches.papier.page import ENCRE, FILET, GRIS, FormatPage, Page, typographier
from couches.papier.tableau_fiche import dessiner_tableau
from couches.styles import libelles_classes
from couches.tables_export import majuscule

GAUCHE: Final = 12.0
DROITE: Final = 198.0
LARGEUR: Final = DROITE - GAUCHE
COLONNE: Final = 156.0
LARGEUR_COLONNE: Final = DROITE - COLONNE
#: Lignes du pied de page : hypothèses, sources, licence.
_LIGNES_PIED: Final = 5


def dessiner_fiche(
    dossier: Dossier, fiche: Fiche, format_page: FormatPage, pagination: str = ""
) -> Figure:
    """Dessiner une fiche sur une page."""
    page = Page.ouvrir(format_page, dossier.polices)
    _entete(page, dossier, fiche)
    _chiffres(page, fiche)
    page.texte(
        GAUCHE,
        63.2,
        typographier(fiche.question),
        page.ajuster(fiche.question, LARGEUR, 11.5, 9.0, 600),
        graisse=600,
    )
    phrase = typographier(fiche.phrase)
    page.texte(GAUCHE, 68.0, phrase, page.ajuster(phrase, LARGEUR, 9.0, 8.0))
    principale = _carte_principale(page, dossier, fiche)
    _legende_principale(page, dossier, fiche, principale)
    dessiner_cartes_secondaires(page, dossier, fiche, GAUCHE)
    _colonne_contexte(page, fiche)
    dessiner_tableau(page, fiche.carences, GAUCHE, DROITE, dossier.unite_legende)
    pied_de_page(page, dossier, pagination)
    return page.figure


def _entete(page: Page, dossier: Dossier, fiche: Fiche) -> None:
    page.texte(GAUCHE, 15.0, typographier(dossier.territoire), 9.0, couleur=GRIS)
    page.texte(DROITE - 34, 15.0, dossier.date_edition, 9.0, couleur=GRIS, alignement="right")
    corps = page.ajuster(fiche.nom, 146.0, 27.0, 15.0, 700)
    page.texte(GAUCHE, 26.5, fiche.nom, corps, graisse=700)
    page.texte(GAUCHE, 33.0, typographier(fiche.surtitre), 10.0, couleur=GRIS)
    if dossier.fictif:
        bandeau_fictif(page, DROITE - 34, 33.0)
    dessiner_situation(
        page, (DROITE - 30, 10.0, 30.0, 26.0), dossier.fond, fiche.geometrie, dossier.styles
    )
    page.filet(GAUCHE, 37.5, DROITE, 37.5, ENCRE, 1.2)


def bandeau_fictif(page: Page, droite: float, y: float) -> None:
    """Mention « Données fictives », en réserve, son bord droit à ``droite``."""
    mention = "Données fictives"
    ligne = page.pas(9.0, 1.0)
    largeur = page.largeur(mention, 9.0, 700) + 1.5 * ligne
    page.rectangle(droite - largeur, y - 1.2 * ligne, largeur, 1.7 * ligne, fond=ENCRE)
    page.texte(
        droite - 0.75 * ligne,
        y,
        mention,
        9.0,
        graisse=700,
        couleur="#ffffff",
        alignement="right",
    )


def _chiffres(page: Page, fiche: Fiche) -> None:
    largeur = (LARGEUR - 8.0) / 3
    for rang, chiffre in enumerate(fiche.chiffres):
        x = GAUCHE + rang * (largeur + 4.0)
        page.rectangle(x, 40.5, largeur, 16.5, fond="#f4f1ea")
        page.rectangle(x, 40.5, 1.1, 16.5, fond=ENCRE)
        corps = page.ajuster(chiffre.valeur, 18.5, 21.0, 14.0, 700)
        page.texte(x + 3.6, 51.8, chiffre.valeur, corps, graisse=700)
        gauche = x + 3.6 + 20.5
        place = x + largeur - gauche - 1.0
        # Un palier aux services en partie connus se dit en quatre lignes : plus haut, plus serrées.
        long = len(page.couper(chiffre.detail, place, 8.5, lignes_max=9)) > 3
        titre = page.raccourcir(majuscule(chiffre.titre), place, 8.5, 600)
        page.texte(gauche, 44.0 if long else 44.9, titre, 8.5, graisse=600)
        y, lignes, interligne = (47.0, 4, 0.98) if long else (48.5, 3, 1.15)
        page.paragraphe(
            gauche, y, chiffre.detail, place, 8.5, lignes_max=lignes, interligne=interligne
        )


def _carte_principale(page: Page, dossier: Dossier, fiche: Fiche) -> Cadre:
    bornes = bornes_de(fiche.geometrie)
    cadre = choisir_cadre(page, (GAUCHE, 71.0, 140.0, 89.0), bornes)
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
    dessiner_zone(axes, dossier.fond, fiche.geometrie, cadre, dossier.styles)
    if cadre.echelle <= 60_000:
        visibles = dossier.lieux.decouper(cadre.emprise, 0.0)
        dessiner_points(axes, visibles, couleur=ENCRE, taille=2.4)
    ecrire_noms(page, dossier.fond, cadre, fiche.geometrie, dossier.styles)
    return cadre


def _legende_principale(page: Page, dossier: Dossier, fiche: Fiche, cadre: Cadre) -> None:
    styles = dossier.styles
    y = page.paragraphe(
        COLONNE,
        73.6,
        typographier(dossier.titre_legende),
        LARGEUR_COLONNE,
        8.5,
        graisse=600,
        lignes_max=5,
        interligne=1.18,
    )
    page.texte(DROITE, y + 1.2, dossier.unite_legende, 8.5, couleur=GRIS, alignement="right")
    y += 3.0
    classes = list(zip(styles.couleurs_temps, libelles_classes(styles), strict=True))
    classes += [("hachures", "inaccessible"), ("points", "sans donnée")]
    for (couleur, libelle), compte in zip(classes, fiche.classes, strict=True):
        dessiner_pastille(page, COLONNE, y, couleur, styles)
        place = LARGEUR_COLONNE - 7.2 - page.largeur(compte) - 1.5
        if page.largeur(libelle) > place:
            libelle = libelle.replace("plus de", ">")
        page.texte(COLONNE + 7.2, y + 2.9, libelle, 8.5)
        page.texte(DROITE, y + 2.9, compte, 8.5, alignement="right")
        y += 4.7
    y += 1.2
    if cadre.echelle <= 60_000:
        page.toile.plot(
            [(COLONNE + 2.6) * page.agrandissement],
            [(y + 1.6) * page.agrandissement],
            "o",
            markersize=3.2,
            markerfacecolor=ENCRE,
            markeredgecolor="#ffffff",
            markeredgewidth=0.3,
        )
        y = page.paragraphe(
            COLONNE + 7.2,
            y + 2.7,
            dossier.libelle_lieux,
            LARGEUR_COLONNE - 7.2,
            8.5,
            lignes_max=2,
            interligne=1.15,
        )
    page.filet(COLONNE, y + 1.6, COLONNE + 5.2, y + 1.6, styles.fond["contour"], 1.5)
    nature = "commune" if fiche.zone_type == "commune" else "bassin de vie"
    page.texte(
        COLONNE + 7.2, y + 2.7, f"limite {'de la' if nature == 'commune' else 'du'} {nature}"
    )
    dessiner_echelle(page, cadre, COLONNE, 151.8, 27.0)
    dessiner_nord(page, DROITE - 4.0, 147.0)


def _colonne_contexte(page: Page, fiche: Fiche) -> None:
    """Quatre paragraphes ; les lignes admises tiennent entre les cartes et le tableau."""
    y = 166.4
    for titre, texte, lignes in (
        ("Transport collectif", fiche.desserte, 3),
        ("Friches", fiche.friches, 2),
        ("Inondation (PPRI)", fiche.inondation, 3),
        ("Commerces", fiche.commerces, 3),
    ):
        page.texte(COLONNE, y, titre, 8.5, graisse=600)
        y = page.paragraphe(
            COLONNE,
            y + page.pas(8.5, 1.15),
            typographier(texte),
            LARGEUR_COLONNE,
            8.5,
            interligne=1.15,
            lignes_max=lignes,
        )
        y += 1.2


def pied_de_page(page: Page, dossier: Dossier, pagination: str) -> None:
    """Hypothèses, sources, licence, date et numéro de page."""
    page.filet(GAUCHE, 274.4, DROITE, 274.4, FILET, 0.5)
    hypotheses = page.couper(
        f"Hypothèses\u00a0: {typographier(dossier.hypotheses)}.", LARGEUR, lignes_max=2
    )
    sources = page.enumerer(
        "Sources\u00a0: ",
        [typographier(s) for s in dossier.sources],
        LARGEUR,
        lignes_max=_LIGNES_PIED - 1 - len(hypotheses),
        ailleurs=", voir LICENCES.txt",
    )
    y = 278.0
    for ligne in (*hypotheses, *sources):
        page.texte(GAUCHE, y, ligne, 8.5, couleur=GRIS)
        y += page.pas(8.5, 1.16)
    page.texte(GAUCHE, y, typographier(dossier.licence), 8.5, couleur=GRIS)
    page.texte(DROITE, y, pagination, 8.5, graisse=600, alignement="right")

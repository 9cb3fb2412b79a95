"""Mise en page d'une fiche : titre, chiffres, cartes, tableau des manques, sources.

Toutes les longueurs sont en millimètres de l'A4 ; l'A3 agrandit la maquette sans la changer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from couches.carte_papier import (
    Cadre,
    bornes_de,
    choisir_cadre,
    dessiner_carreaux,
    dessiner_echelle,
    dessiner_fond,
    dessiner_nord,
    dessiner_points,
    dessiner_rues,
    dessiner_situation,
    dessiner_zone,
    ecrire_noms,
    ouvrir_carte,
    poser,
)
from couches.fiche import Fiche
from couches.fond_papier import FondPapier, Objets, tracer
from couches.page_papier import ENCRE, FILET, GRIS, FormatPage, Page, typographier
from couches.polices_papier import PolicesPapier
from couches.styles import Styles, libelles_classes
from couches.styles_couches import COMMERCE, FRICHE, INTERDICTION, PRESCRIPTION

GAUCHE: Final = 12.0
DROITE: Final = 198.0
LARGEUR: Final = DROITE - GAUCHE
COLONNE: Final = 156.0
LARGEUR_COLONNE: Final = DROITE - COLONNE
#: Nombre de services à portée : clair, tous ; foncé, aucun (comme les temps : foncé, loin).
COULEURS_NOMBRE: Final = ("#dcebf4", "#a5cbe0", "#5f9fc6", "#2b6a9c", "#12365c")
_LIGNES_TABLEAU: Final = 9
#: Colonnes du tableau : titre, bord gauche, largeur, alignée à droite.
_COLONNES: Final = (
    ("Service", 12.0, 44.0, False),
    ("Palier et seuil", 57.0, 33.0, False),
    ("Habitants", 90.0, 18.0, True),
    ("Part", 109.0, 12.0, True),
    ("Temps médian", 122.0, 24.0, True),
    ("Le plus proche", 150.0, 48.0, False),
)


@dataclass(frozen=True)
class CarteSecondaire:
    """Une petite carte de carreaux : titre, classes, couleurs et légende."""

    titre: str
    classes: NDArray[np.uint8]
    couleurs: tuple[str, ...]
    legende: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Contraintes:
    """Objets de la carte des friches, de l'inondation et des commerces ; ``None`` : non fourni."""

    friches: Objets | None
    interdiction: Objets | None
    prescription: Objets | None
    commerces: Objets | None
    vacants: Objets | None


@dataclass(frozen=True)
class Dossier:
    """Ce que toutes les pages d'un atlas partagent.

    Attributes
    ----------
    territoire, fictif
        Nom du territoire, et s'il est simulé.
    date_edition
        Date imprimée.
    hypotheses, sources, licence
        Pied de page.
    fond, carreaux, styles, polices
        De quoi dessiner.
    classes
        uint8[carreaux], classe de la carte principale.
    titre_legende
        Ce que mesurent ses couleurs.
    secondaire
        Deuxième carte.
    lieux, libelle_lieux
        Points de service de la carte principale.
    contraintes
        Troisième carte.
    """

    territoire: str
    fictif: bool
    date_edition: str
    hypotheses: str
    sources: str
    licence: str
    fond: FondPapier
    carreaux: Objets
    styles: Styles
    polices: PolicesPapier
    classes: NDArray[np.uint8]
    titre_legende: str
    unite_legende: str
    secondaire: CarteSecondaire
    lieux: Objets
    libelle_lieux: str
    contraintes: Contraintes


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
    page.paragraphe(GAUCHE, 68.0, typographier(fiche.phrase), LARGEUR, 9.0, lignes_max=1)
    principale = _carte_principale(page, dossier, fiche)
    _legende_principale(page, dossier, fiche, principale)
    _cartes_secondaires(page, dossier, fiche)
    _colonne_contexte(page, fiche)
    _tableau(page, fiche)
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
        page.texte(x + 3.6, 51.8, chiffre.valeur, 21, graisse=700)
        gauche = x + 3.6 + max(19.0, page.largeur(chiffre.valeur, 21, 700) + 2.2)
        place = x + largeur - gauche - 1.0
        page.texte(
            gauche,
            44.9,
            page.raccourcir(_capitale(chiffre.titre), place, 8.5, 600),
            8.5,
            graisse=600,
        )
        page.paragraphe(gauche, 48.5, chiffre.detail, place, 8.5, lignes_max=3, interligne=1.15)


def _capitale(texte: str) -> str:
    return texte[:1].upper() + texte[1:]


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


def dessiner_pastille(page: Page, x: float, y: float, couleur: str, styles: Styles) -> None:
    """Signe de légende : une couleur, « hachures » (inaccessible) ou « points » (sans donnée)."""
    if couleur == "hachures":
        page.rectangle(
            x,
            y,
            5.2,
            3.6,
            fond=styles.inaccessible_fond,
            trait=styles.inaccessible_trait,
            epaisseur=0.3,
            hachures="//////",
        )
    elif couleur == "points":
        page.rectangle(
            x,
            y,
            5.2,
            3.6,
            fond="#ffffff",
            trait=styles.sans_donnee_point,
            epaisseur=0.3,
            hachures="....",
        )
    else:
        page.rectangle(x, y, 5.2, 3.6, fond=couleur, trait=GRIS, epaisseur=0.25)


def _cartes_secondaires(page: Page, dossier: Dossier, fiche: Fiche) -> None:
    bornes = bornes_de(fiche.geometrie)
    for rang, titre in enumerate((dossier.secondaire.titre, "Friches, inondation, commerces")):
        x = GAUCHE + 72.0 * rang
        page.texte(x, 166.4, page.raccourcir(typographier(titre), 68.0, 9.0, 600), 9.0, graisse=600)
        cadre = choisir_cadre(page, (x, 168.2, 68.0, 42.0), bornes)
        axes = ouvrir_carte(page, cadre, dossier.styles)
        dessiner_fond(axes, dossier.fond, cadre, dossier.styles)
        if rang == 0:
            s = dossier.secondaire
            dessiner_carreaux(axes, dossier.carreaux, s.classes, s.couleurs, cadre, dossier.styles)
        else:
            _dessiner_contraintes(axes, dossier.contraintes, cadre)
        dessiner_rues(axes, dossier.fond, cadre, dossier.styles, force=0.8)
        dessiner_zone(axes, dossier.fond, fiche.geometrie, cadre, dossier.styles)
    _legende_en_ligne(page, GAUCHE, 214.7, dossier.secondaire.legende, dossier.styles)
    _legende_contraintes(page, GAUCHE + 72.0, 214.7, dossier.contraintes)


def _dessiner_contraintes(axes: Axes, contraintes: Contraintes, cadre: Cadre) -> None:
    for objets, couleur, hachures in (
        (contraintes.prescription, PRESCRIPTION, "\\\\\\\\\\"),
        (contraintes.interdiction, INTERDICTION, "/////"),
    ):
        if objets is not None:
            trace = tracer(objets.decouper(cadre.emprise, cadre.tolerance_m), 2)
            poser(
                axes, trace, 6, facecolor="none", edgecolor=couleur, hatch=hachures, linewidth=0.6
            )
    for objets, creux in ((contraintes.commerces, False), (contraintes.vacants, True)):
        if objets is not None:
            dessiner_points(
                axes,
                objets.decouper(cadre.emprise, 0.0),
                couleur=COMMERCE,
                taille=2.0,
                creux=creux,
                niveau=25,
            )
    if contraintes.friches is not None:
        dessiner_points(
            axes,
            contraintes.friches.decouper(cadre.emprise, 0.0),
            couleur=FRICHE,
            taille=4.5,
            bord=ENCRE,
            niveau=26,
            signe="s",
        )


def _legende_en_ligne(
    page: Page, x: float, y: float, entrees: Sequence[tuple[str, str]], styles: Styles
) -> None:
    """Légende sur deux lignes au plus, les signes suivis de leur sens."""
    courant = x
    for couleur, libelle in entrees:
        largeur = 6.4 + page.largeur(libelle, 8.5) + 3.0
        if courant > x and courant + largeur - 3.0 > x + 69.0:
            courant, y = x, y + 4.6
        dessiner_pastille(page, courant, y - 2.9, couleur, styles)
        page.texte(courant + 6.4, y, libelle, 8.5)
        courant += largeur


def _legende_contraintes(page: Page, x: float, y: float, contraintes: Contraintes) -> None:
    e = page.agrandissement
    entrees: list[tuple[str, str]] = []
    if contraintes.friches is not None:
        entrees.append(("friche", "friche"))
    if contraintes.interdiction is not None:
        entrees += [("interdiction", "interdiction"), ("prescription", "prescription")]
    if contraintes.commerces is not None:
        entrees += [("commerce", "commerce"), ("vacant", "local vacant")]
    if not entrees:
        page.texte(x, y, "Couches non fournies.", 8.5, couleur=GRIS)
        return
    courant = x
    for signe, libelle in entrees:
        largeur = 6.4 + page.largeur(libelle, 8.5) + 3.0
        if courant > x and courant + largeur - 3.0 > x + 69.0:
            courant, y = x, y + 4.6
        if signe in ("interdiction", "prescription"):
            couleur = INTERDICTION if signe == "interdiction" else PRESCRIPTION
            motif = "//////" if signe == "interdiction" else "\\\\\\\\\\\\"
            page.rectangle(courant, y - 2.9, 5.2, 3.6, trait=couleur, epaisseur=0.5, hachures=motif)
        else:
            fond, marque, taille = {
                "friche": (FRICHE, "s", 4.5),
                "commerce": (COMMERCE, "o", 3.0),
                "vacant": ("#ffffff", "o", 3.0),
            }[signe]
            bord = ENCRE if signe == "friche" else COMMERCE
            page.toile.plot(
                [(courant + 2.6) * e],
                [(y - 1.1) * e],
                marque,
                markersize=taille,
                markerfacecolor=fond,
                markeredgecolor=bord,
                markeredgewidth=0.5,
            )
        page.texte(courant + 6.4, y, libelle, 8.5)
        courant += largeur


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


def _tableau(page: Page, fiche: Fiche) -> None:
    haut = 227.0
    page.filet(GAUCHE, haut - 4.6, DROITE, haut - 4.6, ENCRE, 1.2)
    total = len(fiche.carences)
    titre = (
        "Aucun service ne manque sous le seuil de son palier"
        if total == 0
        else f"Services hors de portée d’une partie des habitants ({total})"
    )
    page.texte(GAUCHE, haut, titre, 10.0, graisse=600)
    if total == 0:
        return
    y = haut + 5.0
    for nom, x, largeur, droite in _COLONNES:
        page.texte(
            x + largeur if droite else x,
            y,
            nom,
            8.5,
            couleur=GRIS,
            alignement="right" if droite else "left",
        )
    montrees = fiche.carences[: _LIGNES_TABLEAU - (total > _LIGNES_TABLEAU)]
    for rang, ligne in enumerate(montrees):
        y += 4.35
        if rang % 2 == 0:
            page.rectangle(GAUCHE - 1, y - 3.2, LARGEUR + 2, 4.35, fond="#f4f1ea")
        valeurs = (
            _capitale(ligne.service),
            ligne.palier,
            ligne.concernes,
            ligne.part,
            ligne.temps,
            ligne.proche,
        )
        for (_, x, largeur, droite), valeur in zip(_COLONNES, valeurs, strict=True):
            page.texte(
                x + largeur if droite else x,
                y,
                page.raccourcir(valeur, largeur, 8.5),
                8.5,
                alignement="right" if droite else "left",
            )
    reste = fiche.carences[len(montrees) :]
    if reste:
        noms = ", ".join(r.service for r in reste)
        page.paragraphe(GAUCHE, y + 4.6, f"Et aussi\u00a0: {noms}.", LARGEUR, 8.5, lignes_max=1)


def pied_de_page(page: Page, dossier: Dossier, pagination: str) -> None:
    """Hypothèses, sources, licence, date et numéro de page."""
    page.filet(GAUCHE, 274.4, DROITE, 274.4, FILET, 0.5)
    y = page.paragraphe(
        GAUCHE,
        278.0,
        f"Hypothèses\u00a0: {typographier(dossier.hypotheses)}.",
        LARGEUR,
        8.5,
        couleur=GRIS,
        interligne=1.16,
        lignes_max=2,
    )
    y = page.paragraphe(
        GAUCHE,
        y,
        f"Sources\u00a0: {typographier(dossier.sources)}.",
        LARGEUR,
        8.5,
        couleur=GRIS,
        interligne=1.16,
        lignes_max=2,
    )
    page.texte(GAUCHE, y, typographier(dossier.licence), 8.5, couleur=GRIS)
    page.texte(DROITE, y, pagination, 8.5, graisse=600, alignement="right")

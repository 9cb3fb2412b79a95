"""Petites cartes d'une fiche et signes de légende."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

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
    poser,
)
from couches.papier.fiche import Fiche
from couches.papier.fond import tracer
from couches.papier.modele import Contraintes, Dossier
from couches.papier.page import ENCRE, GRIS, Page, typographier
from couches.styles import Styles

#: Plus petite échelle où les friches gardent un grand signe.
_ECHELLE_GRANDS_SIGNES: Final = 200_000


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


def dessiner_cartes_secondaires(page: Page, dossier: Dossier, fiche: Fiche, gauche: float) -> None:
    """Transport collectif à gauche ; friches, inondation et commerces à droite ; légendes."""
    bornes = bornes_de(fiche.geometrie)
    for rang, titre in enumerate((dossier.secondaire.titre, "Friches, inondation, commerces")):
        x = gauche + 72.0 * rang
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
    _legende_en_ligne(page, gauche, 214.7, dossier.secondaire.legende, dossier.styles)
    _legende_contraintes(page, gauche + 72.0, 214.7, dossier.contraintes)


def _dessiner_contraintes(axes: Axes, contraintes: Contraintes, cadre: Cadre) -> None:
    for objets, couleur, hachures in (
        (contraintes.prescription, contraintes.couleurs["prescription"], "\\\\\\\\\\"),
        (contraintes.interdiction, contraintes.couleurs["interdiction"], "/////"),
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
                couleur=contraintes.couleurs["commerce"],
                taille=2.0,
                creux=creux,
                niveau=25,
            )
    if contraintes.friches is not None:
        dessiner_points(
            axes,
            contraintes.friches.decouper(cadre.emprise, 0.0),
            couleur=contraintes.couleurs["friche"],
            # À petite échelle, les carrés se recouvriraient.
            taille=4.5 if cadre.echelle <= _ECHELLE_GRANDS_SIGNES else 2.6,
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
        largeur = 6.4 + page.largeur(libelle, 8.5) + 2.0
        if courant > x and courant + largeur - 2.0 > x + 69.0:
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
            couleur = (
                contraintes.couleurs["interdiction"]
                if signe == "interdiction"
                else contraintes.couleurs["prescription"]
            )
            motif = "//////" if signe == "interdiction" else "\\\\\\\\\\\\"
            page.rectangle(courant, y - 2.9, 5.2, 3.6, trait=couleur, epaisseur=0.5, hachures=motif)
        else:
            fond, marque, taille = {
                "friche": (contraintes.couleurs["friche"], "s", 4.5),
                "commerce": (contraintes.couleurs["commerce"], "o", 3.0),
                "vacant": ("#ffffff", "o", 3.0),
            }[signe]
            bord = ENCRE if signe == "friche" else contraintes.couleurs["commerce"]
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

"""Image d'une carte pour un diaporama : PNG ou SVG, aux proportions de l'écran."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Final

import matplotlib
import shapely
from matplotlib.figure import Figure

from accessibilite.etude import ResultatEtude
from couches.composition import Theme, dire_hypotheses, dire_modes, poser_question
from couches.ecran.etiquettes import Police
from couches.licences import mention_sources
from couches.papier.carte import (
    Cadre,
    bornes_de,
    dessiner_carreaux,
    dessiner_fond,
    dessiner_rues,
    dessiner_zone,
    ouvrir_carte,
)
from couches.papier.cartes_fiche import dessiner_pastille
from couches.papier.dossier import composer_dossier
from couches.papier.fiche import choisir_zones
from couches.papier.habillage import dessiner_echelle, dessiner_nord
from couches.papier.mise_en_page import bandeau_fictif
from couches.papier.modele import Dossier
from couches.papier.noms_carte import ecrire_noms
from couches.papier.page import ENCRE, GRIS, Page, typographier
from couches.papier.polices import PolicesPapier, preparer_polices
from couches.styles import Styles, libelles_classes
from couches.themes import Themes
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.territoire import Territoire

Emprise = tuple[float, float, float, float]
#: Diapositive 16:9 ; à 144 points par pouce, 1 920 × 1 080 pixels.
LARGEUR_MM: Final = 338.67
HAUTEUR_MM: Final = 190.5
PPP: Final = 144
_REGLAGES: Final[Any] = {"svg.fonttype": "none", "svg.hashsalt": "demi-heure"}
_CADRE: Final = (9.0, 27.0, 236.0, 150.0)
_COLONNE: Final = 252.0


def exporter_image(
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    styles: Styles,
    police: Police,
    chemin: Path,
    *,
    zone_type: str = "commune",
    code: str | None = None,
    emprise: Emprise | None = None,
) -> Path:
    """Écrire la carte d'un thème, titre, légende, échelle et sources compris.

    Parameters
    ----------
    territoire, resultat, theme
        Ce que la carte montre.
    styles, police
        Palette et police installée.
    chemin
        ``.png`` (1 920 × 1 080 pixels) ou ``.svg`` (texte modifiable).
    zone_type, code
        Zone mise en avant ; par défaut tout le territoire.
    emprise
        Vue à montrer, mètres du CRS du territoire (celle du visualiseur) ; élargie aux proportions
        du cadre. Par défaut, la zone.

    Raises
    ------
    ErreurConfiguration
        Zone inconnue.
    ErreurDonnees
        Fichier impossible à écrire ; l'ancien est intact.
    """
    zone = territoire.contour
    if code is not None:
        choisir_zones(territoire, resultat, zone_type, (code,))
        colonne = "code_commune" if zone_type == "commune" else "code_bassin_de_vie"
        membres = territoire.communes[territoire.communes[colonne].astype(str) == code]
        zone = shapely.union_all(shapely.make_valid(membres.geometry.to_numpy()))
    bornes = emprise or bornes_de(zone)
    with ecrire_atomique(chemin) as provisoire, tempfile.TemporaryDirectory() as travail:
        polices = preparer_polices(police, Path(travail))
        dossier = composer_dossier(
            territoire, resultat, theme, Themes(), styles, polices, date.today()
        )
        with matplotlib.rc_context(_REGLAGES):
            figure = _dessiner(dossier, territoire, resultat, theme, zone, bornes)
            figure.savefig(
                provisoire,
                dpi=PPP,
                format=chemin.suffix.lower()[1:],
                # Sans date : deux exports des mêmes résultats sont identiques.
                metadata={"Date": None} if chemin.suffix.lower() == ".svg" else None,
            )
    return chemin


def _ouvrir_diapositive(polices: PolicesPapier) -> Page:
    figure = Figure(figsize=(LARGEUR_MM / 25.4, HAUTEUR_MM / 25.4))
    toile = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    toile.set_xlim(0, LARGEUR_MM)
    toile.set_ylim(HAUTEUR_MM, 0)
    toile.axis("off")
    toile.set_zorder(10)
    # Une diapositive se lit de loin : textes une fois et demie plus gros que sur le papier.
    return Page(figure, toile, polices, 1.0, 1.6)


def _cadrer(bornes: Emprise) -> Cadre:
    """Cadre à l'échelle de la vue : une diapositive n'a pas d'échelle ronde."""
    x, y, largeur, hauteur = _CADRE
    ouest, sud, est, nord = bornes
    metre = max((est - ouest) / largeur, (nord - sud) / hauteur) * 1.06
    cx, cy = (ouest + est) / 2, (sud + nord) / 2
    demi_l, demi_h = metre * largeur / 2, metre * hauteur / 2
    return Cadre(
        x,
        y,
        largeur,
        hauteur,
        (cx - demi_l, cy - demi_h, cx + demi_l, cy + demi_h),
        round(metre * 1000),
    )


def _dessiner(
    dossier: Dossier,
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    zone: shapely.Geometry,
    bornes: Emprise,
) -> Figure:
    page, styles = _ouvrir_diapositive(dossier.polices), dossier.styles
    question = typographier(poser_question(resultat, theme))
    page.texte(9.0, 17.0, question, page.ajuster(question, 312.0, 17.0, 9.0, 700), graisse=700)
    cadre = _cadrer(bornes)
    axes = ouvrir_carte(page, cadre, styles)
    dessiner_fond(axes, dossier.fond, cadre, styles)
    dessiner_carreaux(axes, dossier.carreaux, dossier.classes, styles.couleurs_temps, cadre, styles)
    dessiner_rues(axes, dossier.fond, cadre, styles, force=1.4)
    dessiner_zone(axes, dossier.fond, zone, cadre, styles)
    ecrire_noms(page, dossier.fond, cadre, zone, styles)
    y = page.paragraphe(
        _COLONNE,
        33.0,
        typographier(f"Temps d’accès {dire_modes(resultat, theme)}"),
        78.0,
        9.0,
        graisse=600,
    )
    y += 2.0
    entrees = list(zip(styles.couleurs_temps, libelles_classes(styles), strict=True))
    for couleur, libelle in [*entrees, ("hachures", "inaccessible"), ("points", "sans donnée")]:
        dessiner_pastille(page, _COLONNE, y - 3.2, couleur, styles)
        page.texte(_COLONNE + 9.0, y, libelle, 9.0)
        y += 8.0
    page.paragraphe(
        _COLONNE, y + 6.0, typographier(dire_hypotheses(resultat, theme)), 78.0, 7.0, couleur=GRIS
    )
    dessiner_nord(page, 325.0, 150.0, 11.0)
    page.filet(_COLONNE, 146.0, 330.0, 146.0, ENCRE, 0.6)
    dessiner_echelle(page, cadre, _COLONNE, 158.0, 55.0, numerique=False)
    if dossier.fictif:
        bandeau_fictif(page, 330.0, 186.0)
    page.texte(
        9.0,
        185.0,
        typographier(f"{territoire.nom} · {mention_sources(territoire)}"),
        7.0,
        couleur=GRIS,
    )
    return page.figure

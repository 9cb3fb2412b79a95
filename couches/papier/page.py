"""Une page de papier, dessinée en millimètres depuis son coin supérieur gauche."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from couches.papier.polices import PolicesPapier

_MM: Final = 1 / 25.4
#: Formats admis : largeur et hauteur en mm, agrandissement de la maquette et des textes (A4 = 1).
FORMATS: Final = {"A4": (210.0, 297.0, 1.0, 1.0), "A3": (297.0, 420.0, 2**0.5, 1.2)}
FormatPage = Literal["A4", "A3"]
ENCRE: Final = "#22211e"
GRIS: Final = "#5d5850"
FILET: Final = "#b9b2a6"
Alignement = Literal["left", "center", "right"]


@dataclass
class Page:
    """Page en cours de dessin : les coordonnées sont celles de l'A4, agrandies pour l'A3.

    Attributes
    ----------
    figure, toile
        Figure de matplotlib, et axes qui la couvrent (mm, ordonnées vers le bas).
    polices
        Polices.
    agrandissement, agrandissement_texte
        Rapport des longueurs et des corps à ceux de l'A4.
    """

    figure: Figure
    toile: Axes
    polices: PolicesPapier
    agrandissement: float
    agrandissement_texte: float

    @staticmethod
    def ouvrir(format_page: FormatPage, polices: PolicesPapier) -> Page:
        """Page blanche d'un format."""
        largeur, hauteur, echelle, textes = FORMATS[format_page]
        figure = Figure(figsize=(largeur * _MM, hauteur * _MM))
        toile = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        toile.set_xlim(0, largeur)
        toile.set_ylim(hauteur, 0)
        toile.axis("off")
        # Les cartes sont des axes posés sur la page ; noms et légendes passent au-dessus d'elles.
        toile.set_zorder(10)
        return Page(figure, toile, polices, echelle, textes)

    def texte(
        self,
        x: float,
        y: float,
        contenu: str,
        corps: float = 8.5,
        *,
        graisse: int = 400,
        couleur: str = ENCRE,
        alignement: Alignement = "left",
    ) -> None:
        """Écrire une ligne ; ``y`` est la ligne de base."""
        e = self.agrandissement
        self.toile.text(
            x * e,
            y * e,
            contenu,
            fontproperties=self.polices.fonte(contenu, corps * self.agrandissement_texte, graisse),
            color=couleur,
            ha=alignement,
            va="baseline",
            parse_math=False,
        )

    def largeur(self, contenu: str, corps: float = 8.5, graisse: int = 400) -> float:
        """Largeur d'une ligne, mm de l'A4."""
        mesure = self.polices.largeur_mm(contenu, corps * self.agrandissement_texte, graisse)
        return mesure / self.agrandissement

    def ajuster(
        self, contenu: str, largeur: float, corps: float, minimum: float, graisse: int = 400
    ) -> float:
        """Plus grand corps, entre ``minimum`` et ``corps``, qui tient dans la largeur."""
        naturelle = self.largeur(contenu, corps, graisse)
        return max(minimum, corps * min(1.0, largeur / naturelle)) if naturelle else corps

    def couper(
        self,
        contenu: str,
        largeur: float,
        corps: float = 8.5,
        graisse: int = 400,
        lignes_max: int = 99,
    ) -> list[str]:
        """Couper un texte en lignes, aux espaces sécables ; « … » s'il en faudrait trop."""
        lignes: list[str] = []
        courante = ""
        for mot in contenu.split(" "):
            essai = f"{courante} {mot}" if courante else mot
            if courante and self.largeur(essai, corps, graisse) > largeur:
                lignes.append(courante)
                courante = mot
            else:
                courante = essai
        lignes.append(courante)
        if len(lignes) > lignes_max:
            lignes = lignes[:lignes_max]
            lignes[-1] += "…"
        return [self.raccourcir(ligne, largeur, corps, graisse) for ligne in lignes]

    def raccourcir(
        self, contenu: str, largeur: float, corps: float = 8.5, graisse: int = 400
    ) -> str:
        """Texte coupé d'un « … » s'il dépasse la largeur."""
        # Un corps ajusté à la largeur peut la dépasser d'un arrondi.
        if self.largeur(contenu, corps, graisse) <= largeur + 0.01:
            return contenu
        while contenu and self.largeur(contenu.rstrip() + "…", corps, graisse) > largeur:
            contenu = contenu[:-1].rstrip("…")
        return contenu.rstrip() + "…"

    def paragraphe(
        self,
        x: float,
        y: float,
        contenu: str,
        largeur: float,
        corps: float = 8.5,
        *,
        graisse: int = 400,
        couleur: str = ENCRE,
        interligne: float = 1.28,
        lignes_max: int = 99,
    ) -> float:
        """Écrire un texte coupé à la largeur ; rend l'ordonnée de la ligne qui suivrait."""
        for ligne in self.couper(contenu, largeur, corps, graisse, lignes_max):
            self.texte(x, y, ligne, corps, graisse=graisse, couleur=couleur)
            y += self.pas(corps, interligne)
        return y

    def enumerer(
        self,
        debut: str,
        noms: Sequence[str],
        largeur: float,
        *,
        corps: float = 8.5,
        lignes_max: int = 1,
        ailleurs: str = "",
    ) -> list[str]:
        """Lignes d'une énumération qui ne coupe aucun nom : « a, b et 3 autres. ».

        Parameters
        ----------
        debut
            Ce qui précède la liste (« Sources : »).
        noms
            Ce qui est énuméré, dans l'ordre.
        ailleurs
            Ce qui suit « et 3 autres » quand tout ne tient pas (« , voir LICENCES.txt »).
        """
        for retenus in range(len(noms), -1, -1):
            reste = len(noms) - retenus
            texte = debut + ", ".join(noms[:retenus])
            if reste:
                texte += f"{' et' if retenus else ''} {reste} autre{'s' if reste > 1 else ''}"
                texte += ailleurs
            lignes = self.couper(f"{texte}.", largeur, corps)
            if len(lignes) <= lignes_max:
                break
        return lignes

    def pas(self, corps: float, interligne: float = 1.28) -> float:
        """Distance entre deux lignes de base, mm de l'A4."""
        return corps * self.agrandissement_texte * 25.4 / 72 * interligne / self.agrandissement

    def rectangle(
        self,
        x: float,
        y: float,
        largeur: float,
        hauteur: float,
        *,
        fond: str = "none",
        trait: str = "none",
        epaisseur: float = 0.4,
        hachures: str = "",
    ) -> None:
        """Rectangle ; ``epaisseur`` en points, ``hachures`` au sens de matplotlib."""
        e = self.agrandissement
        self.toile.add_artist(
            Rectangle(
                (x * e, y * e),
                largeur * e,
                hauteur * e,
                facecolor=fond,
                edgecolor=trait,
                linewidth=epaisseur if trait != "none" else 0.0,
                hatch=hachures or None,
            )
        )

    def filet(
        self, x1: float, y1: float, x2: float, y2: float, couleur: str = FILET, points: float = 0.5
    ) -> None:
        """Trait droit."""
        e = self.agrandissement
        self.toile.plot(
            [x1 * e, x2 * e],
            [y1 * e, y2 * e],
            color=couleur,
            linewidth=points,
            solid_capstyle="butt",
        )

    def cadre(self, x: float, y: float, largeur: float, hauteur: float) -> Axes:
        """Axes d'une carte, à la place donnée."""
        e = self.agrandissement
        page_l, page_h = self.figure.get_size_inches() / _MM
        return self.figure.add_axes(
            (
                x * e / page_l,
                1 - (y + hauteur) * e / page_h,
                largeur * e / page_l,
                hauteur * e / page_h,
            )
        )


def typographier(texte: str) -> str:
    """Apostrophes courbes et espaces insécables devant les ponctuations doubles."""
    texte = texte.replace("'", "’")
    for signe in (":", ";", "?", "!", "»", "%"):
        texte = texte.replace(f" {signe}", f"\u00a0{signe}")
    return texte.replace("« ", "«\u00a0")

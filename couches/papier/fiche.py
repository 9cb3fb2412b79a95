"""Contenu d'une fiche de commune ou de bassin de vie : chiffres et phrases, sans mise en page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from accessibilite.bilans.agregation import Zonage, calculer_ponderation, construire_zonages
from accessibilite.bilans.indicateurs import PANIER_COMPLET, PLUS_RAPIDE
from accessibilite.bilans.synthese import lire_temps, resumer_zones
from accessibilite.etude import ResultatEtude
from couches.composition import Theme, dire_modes, nommer_service
from couches.papier.fiche_contexte import Contexte
from couches.papier.fiche_manques import LigneCarence, Manques
from couches.styles import Styles
from couches.textes import (
    INSECABLE,
    cle_de_tri,
    compter_juste,
    de,
    duree,
    nombre,
    part,
    pluriel,
    surface,
)
from couches.themes import Themes
from donnees_geo.conventions import LIBELLES_MODES, LIBELLES_PALIERS, PALIERS
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.territoire import Territoire


@dataclass(frozen=True)
class Chiffre:
    """Une part en grand, ce qu'elle compte, et la règle."""

    valeur: str
    titre: str
    detail: str


@dataclass(frozen=True)
class Fiche:
    """Contenu d'une fiche.

    Attributes
    ----------
    zone_type, code, nom, surtitre
        Zone, et ce dont elle fait partie.
    geometrie
        Contour, CRS du territoire.
    chiffres
        Un chiffre par palier.
    question, phrase
        Titre de la carte principale, et sa réponse.
    classes
        Habitants de chaque classe de temps, puis inaccessibles, puis sans donnée (texte).
    carences
        Services qui manquent, du plus au moins lourd.
    desserte, friches, inondation, commerces
        Paragraphes.
    """

    zone_type: str
    code: str
    nom: str
    surtitre: str
    geometrie: shapely.Geometry
    chiffres: tuple[Chiffre, ...]
    question: str
    phrase: str
    classes: tuple[str, ...]
    carences: tuple[LigneCarence, ...]
    desserte: str
    friches: str
    inondation: str
    commerces: str


def choisir_zones(
    territoire: Territoire, resultat: ResultatEtude, zone_type: str, codes: Sequence[str] = ()
) -> tuple[Zonage, list[int]]:
    """Zonage d'un type et rangs des zones demandées (toutes par défaut), par nom.

    Raises
    ------
    ErreurConfiguration
        Découpage absent, ou code inconnu (les codes inconnus sont énumérés).
    """
    zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
    zonage = next((z for z in zonages if z.type == zone_type), None)
    if zonage is None:
        raise ErreurConfiguration(
            "Le territoire n'a pas ce découpage.",
            objet=zone_type,
            attendu=", ".join(z.type for z in zonages),
            conseil="ajouter la correspondance dans [decoupage] et préparer de nouveau",
        )
    rangs = {code: i for i, code in enumerate(zonage.codes)}
    inconnus = [c for c in codes if c not in rangs]
    if inconnus:
        raise ErreurConfiguration(
            "Zone inconnue.",
            objet=", ".join(inconnus),
            attendu=f"un code parmi {len(rangs)}, par exemple {', '.join(zonage.codes[:5])}",
            conseil="donner le code de la commune ou du bassin de vie, tel qu'écrit dans "
            "indicateurs.csv",
        )
    retenus = [rangs[c] for c in codes] if codes else list(rangs.values())
    return zonage, sorted(set(retenus), key=lambda i: (cle_de_tri(zonage.noms[i]), zonage.codes[i]))


def composer_fiches(
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    themes: Themes,
    styles: Styles,
    zone_type: str,
    codes: Sequence[str] = (),
) -> list[Fiche]:
    """Composer le contenu des fiches demandées, rangées par nom.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    theme
        Service ou panier de la carte principale.
    themes
        Couches thématiques.
    styles
        Classes de temps.
    zone_type, codes
        ``commune`` ou ``bassin_de_vie``, et codes voulus (tous par défaut).

    Raises
    ------
    ErreurConfiguration
        Découpage absent ou code inconnu.
    """
    zonage, rangs = choisir_zones(territoire, resultat, zone_type, codes)
    redacteur = _Redacteur(territoire, resultat, theme, themes, styles, zonage)
    return [redacteur.composer(rang) for rang in rangs]


class _Redacteur:
    """Ce que toutes les fiches d'un type de zone ont en commun."""

    def __init__(
        self,
        territoire: Territoire,
        resultat: ResultatEtude,
        theme: Theme,
        themes: Themes,
        styles: Styles,
        zonage: Zonage,
    ) -> None:
        self.territoire, self.resultat, self.theme = territoire, resultat, theme
        self.zonage = zonage
        poids, self.par_population = calculer_ponderation(territoire.carreaux)
        temps = lire_temps(resultat, theme.ids, theme.mode)
        self.resume = resumer_zones(zonage, temps, poids, theme.seuil_s, styles.bornes_s)
        total = float(self.resume["poids"].sum() - self.resume["sans_donnee"].sum())
        self.part_territoire = float(self.resume["desservi"].sum()) / total if total else np.nan
        i = resultat.indicateurs
        paniers = i[
            (i["zone_type"] == zonage.type)
            & (i["mode"] == PLUS_RAPIDE)
            & (i["service"] == PANIER_COMPLET)
        ]
        self.part_panier = {
            (str(code), str(palier)): float(valeur)
            for code, palier, valeur in zip(
                paniers["zone_code"],
                paniers["palier"],
                paniers["part_desservie"],
                strict=True,
            )
        }
        colonne = {"commune": "code_commune", "bassin_de_vie": "code_bassin_de_vie"}[zonage.type]
        self.code_commune = territoire.communes[colonne].astype(str).to_numpy()
        self.manques = Manques(territoire, resultat, zonage.type)
        self.contexte = Contexte(territoire, resultat, themes, zonage, self.code_commune)

    def compter(self, poids: float) -> str:
        """« 1 240 habitants », ou une surface faute de population."""
        if self.par_population:
            return pluriel(round(poids), "habitant")
        return surface(poids)

    def composer(self, rang: int) -> Fiche:
        zonage = self.zonage
        code, nom = zonage.codes[rang], zonage.noms[rang]
        membres = np.flatnonzero(self.code_commune == code)
        geometrie = shapely.union_all(
            shapely.make_valid(self.territoire.communes.geometry.to_numpy()[membres])
        )
        ligne = self.resume.iloc[rang]
        return Fiche(
            zone_type=zonage.type,
            code=code,
            nom=nom,
            surtitre=self._surtitre(membres),
            geometrie=geometrie,
            chiffres=tuple(self._chiffre(code, palier) for palier in PALIERS),
            question=self._question(),
            phrase=self._phrase(ligne),
            classes=self._classes(ligne),
            carences=self.manques.lister(code),
            desserte=self.contexte.dire_desserte(code),
            friches=self.contexte.dire_friches(geometrie),
            inondation=self.contexte.dire_inondation(geometrie),
            commerces=self.contexte.dire_commerces(geometrie),
        )

    def _surtitre(self, membres: np.ndarray[tuple[int], np.dtype[np.intp]]) -> str:
        communes = self.territoire.communes.iloc[membres]
        if self.zonage.type == "bassin_de_vie":
            return f"Bassin de vie · {pluriel(len(communes), 'commune')}"
        premier = communes.iloc[0]
        if len(self.code_commune) == 1 and premier["nom"] == self.territoire.nom:
            return "Territoire entier, sans découpage en communes"
        morceaux = ["Commune"]
        if premier["bassin_de_vie"]:
            morceaux.append(f"bassin de vie {de(str(premier['bassin_de_vie']))}")
        if premier["secteur"]:
            morceaux.append(f"secteur {premier['secteur']}")
        return " · ".join(morceaux)

    def _chiffre(self, code: str, palier: str) -> Chiffre:
        regle = next((s for s in self.resultat.parametres.seuils if s.palier == palier), None)
        compte = compter_services(self.resultat, palier)
        titre = f"palier {LIBELLES_PALIERS[palier]}"
        if regle is None or (code, palier) not in self.part_panier:
            return Chiffre("–", titre, "sans donnée")
        modes = " ou ".join(LIBELLES_MODES[m] for m in regle.modes)
        unite = "des habitants" if self.par_population else "de la surface"
        return Chiffre(
            dire_grande_part(self.part_panier[code, palier]),
            titre,
            f"{unite} à {regle.seuil_s / 60:g}{INSECABLE}min des {compte}, {modes}",
        )

    def _question(self) -> str:
        minutes = f"{self.theme.seuil_s / 60:g}{INSECABLE}minutes"
        if self.theme.panier:
            palier = self.theme.palier
            du_palier = (
                "de proximité" if palier == "proximite" else f"du palier {LIBELLES_PALIERS[palier]}"
            )
            quoi = f"tous les services {du_palier}"
        else:
            quoi = nommer_service(self.theme.services[0])
        return (
            f"Qui rejoint {quoi} en {minutes} {dire_modes(self.resultat, self.theme)}{INSECABLE}?"
        )

    def _phrase(self, ligne: pd.Series) -> str:
        total = float(ligne["poids"])
        if not np.isfinite(ligne["part"]):
            return "Aucun temps n’est connu ici : données absentes."
        suite = ""
        mediane = float(ligne["temps_median_s"])
        if np.isfinite(mediane) and self.par_population:
            suite = f" Temps médian : {duree(mediane)}."
        if len(self.resume) > 1 and np.isfinite(self.part_territoire):
            partout = part(self.part_territoire, int(0 < self.part_territoire < 1))
            suite += f" Territoire : {partout}."
        oui, non, muet = self._repartir(
            float(ligne[c]) for c in ("desservi", "non_desservi", "sans_donnee")
        )
        if oui <= 0:
            return f"Aucun des {self.compter(total)} n’y parvient.{suite}"
        if muet <= 0 and non <= 0:
            return f"Les {self.compter(total)} y parviennent tous.{suite}"

        def dire(poids: float) -> str:
            return nombre(poids) if self.par_population else surface(poids)

        absents = f", {dire(muet)} sans donnée" if muet > 0 else ""
        return (
            f"{self.compter(oui)} sur {dire(total)} ({part(float(ligne['part']))}) y parviennent, "
            f"{dire(non)} non{absents}.{suite}"
        )

    def _repartir(self, poids: Iterable[float]) -> list[float]:
        """Habitants arrondis dont la somme reste celle de la zone ; surfaces telles quelles."""
        return [*map(float, compter_juste(poids))] if self.par_population else list(poids)

    def _classes(self, ligne: pd.Series) -> tuple[str, ...]:
        colonnes = [c for c in ligne.index if str(c).startswith("classe_")]
        valeurs = self._repartir(
            float(ligne[c]) for c in [*colonnes, "inaccessible", "sans_donnee"]
        )
        return tuple(nombre(v) if self.par_population else surface(v) for v in valeurs)


def compter_services(resultat: ResultatEtude, palier: str) -> str:
    """« 18 services », ou « 3 services connus sur 18 » : sans lieu, un service ne compte pas."""
    ids = [s.id for s in resultat.services if s.palier == palier]
    connus = sum(bool(np.isfinite(lire_temps(resultat, [i], PLUS_RAPIDE)).any()) for i in ids)
    if connus in (0, len(ids)):
        return pluriel(len(ids), "service")
    return f"{pluriel(connus, 'service')} connu{'s' if connus > 1 else ''} sur {len(ids)}"


def dire_grande_part(valeur: float) -> str:
    """Part entière ; une décimale quand l'entier dirait « tous » ou « personne » à tort."""
    extreme = 0 < valeur < 0.005 or 0.995 <= valeur < 1
    return part(valeur, 1 if extreme else 0)

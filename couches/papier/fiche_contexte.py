"""Ce qu'une fiche dit autour de l'accès : desserte, friches, inondation, commerces."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.agregation import Zonage
from accessibilite.croisements.surfaces import croiser_zones_inondables
from accessibilite.etude import ResultatEtude
from accessibilite.transport.desserte import calculer_desserte_communes
from couches.textes import INSECABLE, JOURS, heure, jour, nombre, part, pluriel
from couches.themes import NIVEAUX_INTERDITS, Themes, garder_dans_zone, partager_zonage
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.gtfs import courses_du_jour
from donnees_geo.territoire import Territoire

NON_FOURNI: Final = "Non fourni."


class Contexte:
    """Phrases de contexte des zones d'un type ; ce qui manque est dit « non fourni ».

    Parameters
    ----------
    territoire, resultat, themes, zonage
        Territoire, étude, couches thématiques et zones.
    code_commune
        object[communes], code de la zone de chaque commune.
    """

    def __init__(
        self,
        territoire: Territoire,
        resultat: ResultatEtude,
        themes: Themes,
        zonage: Zonage,
        code_commune: NDArray[np.object_],
    ) -> None:
        self.territoire, self.resultat, self.themes = territoire, resultat, themes
        self.zonage, self.code_commune = zonage, code_commune
        self.desserte = self._calculer_desserte()
        zones = themes.zones_inondables
        self.reglement = None if zones is None else _reparer(zones[zones["famille"] == "reglement"])
        self.interdiction = (
            None
            if self.reglement is None
            else shapely.union_all(partager_zonage(self.reglement)["interdiction"].geometry)
        )

    def _calculer_desserte(self) -> dict[str, dict[str, float]] | None:
        offre, quand = self.territoire.offre, self.resultat.jour or self.territoire.date_service
        if offre is None or quand is None:
            return None
        try:
            courses = courses_du_jour(offre, quand)
        except ErreurDonnees:  # le calendrier des horaires ne couvre pas ce jour
            return None
        arrets = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(offre.arrets["x"], offre.arrets["y"]),
            crs=self.territoire.crs,
        )
        commune, arret = arrets.sindex.query(
            self.territoire.communes.geometry.to_numpy(), predicate="contains"
        )
        codes = np.full(offre.nombre_arrets, "", dtype=object)
        codes[arret] = self.code_commune[commune]
        table = calculer_desserte_communes(offre, courses, codes, self.zonage.codes)
        nombres = table.drop(columns="modes").astype(float)
        return {str(c): {str(k): v for k, v in n.items()} for c, n in nombres.T.items()}

    def dire_desserte(self, code: str) -> str:
        """Départs du jour étudié, arrêts, lignes et amplitude."""
        if self.territoire.offre is None:
            return "Horaires non fournis."
        quand = self.resultat.jour or self.territoire.date_service
        if self.desserte is None or quand is None:
            return "Jour hors du calendrier des horaires."
        ligne = self.desserte[code]
        if ligne["sans_service"]:
            return f"Aucun départ le {jour(quand)}."
        return (
            f"{pluriel(ligne['departs'], 'départ')} "
            f"({pluriel(ligne['arrets_desservis'], 'arrêt')}, "
            f"{pluriel(ligne['lignes'], 'ligne')}), de {heure(ligne['premier_s'])} à "
            f"{heure(ligne['dernier_s'])}."
        )

    def dire_friches(self, zone: shapely.Geometry) -> str:
        """Friches encore en stock, leur surface et leur exposition."""
        if self.themes.friches is None:
            return NON_FOURNI
        table = garder_dans_zone(self.themes.friches, zone)
        table = table[table["dans_stock"]]
        if table.empty:
            return "Aucune friche inventoriée."
        hectares = float(table["surface_ha"].sum(min_count=1))
        taille = f", {nombre(hectares, 1)}{INSECABLE}ha" if np.isfinite(hectares) else ""
        texte = f"{pluriel(len(table), 'friche')}{taille}."
        if self.interdiction is not None:
            touche = shapely.intersects(self.interdiction, table.geometry.to_numpy())
            exposees = int(touche.sum())
            texte += f" {exposees or 'Aucune'} en zone d’interdiction."
        return texte

    def dire_inondation(self, zone: shapely.Geometry) -> str:
        """Parts de la surface en zones réglementées."""
        if self.reglement is None:
            return NON_FOURNI
        # La règle la plus sévère l'emporte : une surface n'est comptée que dans un niveau.
        croisement = croiser_zones_inondables(np.array([zone]), self.reglement)
        interdit = croisement["niveau"].isin(NIVEAUX_INTERDITS)
        parts = {
            "interdiction": float(croisement.loc[interdit, "part"].sum()),
            "prescription": float(croisement.loc[~interdit, "part"].sum()),
        }
        parts = {nom: p for nom, p in parts.items() if p > 0}
        if not parts:
            return "Pas de zone réglementée cartographiée (non sans risque)."
        return (
            "Surface en zone "
            + ", ".join(
                f"{'d’interdiction' if nom == 'interdiction' else 'de prescription'} : {part(p)}"
                for nom, p in parts.items()
            )
            + "."
        )

    def dire_commerces(self, zone: shapely.Geometry) -> str:
        """Commerces, locaux vacants et jours de marché."""
        if self.themes.commerces is None:
            return NON_FOURNI
        table = garder_dans_zone(self.themes.commerces, zone)
        vacants = int(table["vacant"].sum())
        texte = (
            pluriel(len(table) - vacants, "commerce")
            if len(table) > vacants
            else ("Aucun commerce")
        )
        vides = pluriel(vacants, "local vacant", "locaux vacants")
        texte += f", {vides if vacants else 'aucun local vacant'}."
        if self.themes.marches is not None:
            marches = garder_dans_zone(self.themes.marches, zone)
            jours = sorted({int(j) for j in marches["jour"] if j >= 0})
            quand = (
                ", ".join(JOURS[j] for j in jours)
                if len(jours) <= 3
                else (f"{len(jours)} jours sur 7")
            )
            texte += f" Marché : {quand}." if jours else " Pas de marché."
        return texte


def _reparer(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return zones.set_geometry(shapely.make_valid(zones.geometry.to_numpy()), crs=zones.crs)

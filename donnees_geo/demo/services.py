"""Équipements fictifs : BPE 2024 et objets OSM, placés selon la hiérarchie des communes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from donnees_geo.demo.cadre import DEPARTEMENT, Cadre, Entiers
from donnees_geo.demo.commerces import CATEGORIES, en_degres
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.placement import TirageAdresses, repartir
from donnees_geo.demo.population import Adresses

_COLONNES_BPE: Final = """
AN NOMRS CNOMRS NUMVOIE INDREP TYPVOIE LIBVOIE CADR CODPOS DEPCOM DEP REG LIBCOM DOM SDOM TYPEQU
SIRET STATUT_DIFFUSION CANTINE INTERNAT RPI EP CL_PGE SECT ACCES_AIRE_PRATIQUE ACCES_LIBRE
ACCES_SANITAIRE ACCES_VESTIAIRE CAPACITE_D_ACCUEIL PRES_DOUCHE PRES_SANITAIRE SAISONNIER COUVERT
ECLAIRE CATEGORIE MULTIPLEXE STRUCTURE_EXERCICE SPECIALITE ACCUEIL ITINERANCE MODE_GESTION
SSTYPHEB TYPE IMPLANTATION_STATION CAPACITE INDIC_CAPA NBEQUIDENT INDIC_NBEQUIDENT NBSALLES
INDIC_NBSALLES NBLIEUX INDIC_NBLIEUX NB_PDC INDIC_NB_PDC NB_PDC_PA INDIC_NB_PDC_PA
NB_PDC_ACCELEREE INDIC_NB_PDC_ACCELEREE NB_PDC_LENTE INDIC_NB_PDC_LENTE NB_PDC_RAPIDE
INDIC_NB_PDC_RAPIDE NB_PDC_ULTRARAPIDE INDIC_NB_PDC_ULTRARAPIDE NB_JOURS_OUVERT
INDIC_NB_JOURS_OUVERT LAMBERT_X LAMBERT_Y LONGITUDE LATITUDE QUALITE_XY EPSG QUALITE_GEOLOC
TR_DIST_PRECISION DCIRIS QUALI_IRIS IRISEE QP2024 QUALI_QP2024 QP2015 QUALI_QP2015 QVA QUALI_QVA
ZUS QUALI_ZUS EPCI UU2020 BV2022 AAV2020 DENS3 DENS7
"""
#: Colonnes du fichier géolocalisé 2024 de l'INSEE.
COLONNES_BPE: Final[tuple[str, ...]] = tuple(_COLONNES_BPE.split())


@dataclass(frozen=True)
class Regle:
    """Règle de présence d'un type d'équipement.

    Attributes
    ----------
    code
        Code TYPEQU 2024.
    nom
        Nom affiché (suivi d'un numéro).
    pour_100_000
        Nombre pour 100 000 habitants.
    population_min
        Taille de commune en deçà de laquelle il n'y en a pas.
    etalement
        Décroissance depuis le centre (voir ``TirageAdresses``).
    regroupes
        Nombre moyen de professionnels à la même adresse.
    """

    code: str
    nom: str
    pour_100_000: float
    population_min: int
    etalement: float
    regroupes: int = 1


REGLES: Final = (
    Regle("A206", "Bureau de poste", 9.5, 2600, 0.2),
    Regle("A207", "Relais poste", 7.0, 700, 0.3),
    Regle("A208", "Agence postale communale", 8.0, 500, 0.2),
    Regle("A101", "Commissariat de police", 1.1, 15_000, 0.3),
    Regle("A104", "Brigade de gendarmerie", 2.6, 3000, 0.7),
    Regle("A128", "Espace France Services", 4.5, 2000, 0.25),
    Regle("A122", "Agence France Travail", 1.3, 7000, 0.5),
    Regle("B316", "Station-service", 13.0, 2500, 1.1),
    Regle("C107", "École maternelle", 26.0, 1900, 0.9),
    Regle("C109", "École élémentaire", 24.0, 1900, 0.9),
    Regle("C108", "École primaire", 34.0, 330, 0.6),
    Regle("C201", "Collège", 9.6, 3300, 1.0),
    Regle("C301", "Lycée général et technologique", 2.7, 7000, 0.9),
    Regle("C302", "Lycée professionnel", 1.5, 7000, 1.0),
    Regle("C401", "Section de technicien supérieur", 1.8, 9000, 0.9),
    Regle("C410", "Formation post-baccalauréat", 0.8, 9000, 0.7),
    Regle("C501", "Unité de formation et de recherche", 0.8, 15_000, 0.8),
    Regle("C502", "Institut universitaire de technologie", 0.4, 18_000, 1.0),
    Regle("C602", "Groupement d'établissements pour la formation", 0.8, 9000, 0.8),
    Regle("C610", "Centre de formation continue", 3.4, 5000, 0.8),
    Regle("D265", "Médecin généraliste", 114.0, 480, 0.7, 2),
    Regle("D281", "Infirmier", 196.0, 400, 0.8, 2),
    Regle("D279", "Masseur-kinésithérapeute", 112.0, 900, 0.7, 3),
    Regle("D277", "Chirurgien-dentiste", 46.0, 1800, 0.5, 2),
    Regle("D278", "Sage-femme", 16.0, 3000, 0.6, 2),
    Regle("D113", "Maison de santé pluriprofessionnelle", 4.3, 2000, 0.5),
    Regle("D106", "Service d'urgences", 1.0, 9_000, 1.2),
    Regle("D401", "Établissement pour personnes âgées", 13.0, 1500, 0.9),
    Regle("D502", "Crèche", 9.5, 2400, 0.6),
    Regle("D505", "Accueil de loisirs", 22.0, 1200, 0.6),
    Regle("D506", "Centre social", 6.5, 3500, 0.7),
    Regle("F101", "Bassin de natation", 3.2, 5000, 1.1),
    Regle("F121", "Salle multisport", 23.0, 1500, 0.9),
    Regle("F111", "Plateau extérieur", 38.0, 500, 0.9),
    Regle("F113", "Terrain de grands jeux", 44.0, 450, 1.1),
    Regle("F103", "Court de tennis", 17.0, 1200, 1.1),
    Regle("F307", "Bibliothèque", 21.0, 800, 0.3),
    Regle("F315", "Salle de spectacle", 2.4, 7000, 0.35),
    Regle("F305", "Conservatoire", 1.8, 7000, 0.4),
)
#: Cinémas du territoire : trois, dans les plus grandes communes.
NOMBRE_CINEMAS: Final = 3


def _nombre_par_commune(habitat: Habitat, regle: Regle) -> Entiers:
    """Nombre d'équipements par commune, même densité dans le territoire et autour."""
    effectifs = np.zeros(habitat.x.size, dtype=np.int64)
    for groupe in (habitat.interieure, ~habitat.interieure):
        total = round(regle.pour_100_000 * habitat.population[groupe].sum() / 100_000)
        poids = np.where(
            groupe & (habitat.population >= regle.population_min),
            habitat.population.astype(float),
            0.0,
        )
        effectifs += repartir(total, poids)
    return effectifs


def _placer_regle(
    tirage: TirageAdresses,
    adresses: Adresses,
    habitat: Habitat,
    regle: Regle,
    hasard: np.random.Generator,
) -> Entiers:
    """Adresse de chaque équipement ; les professionnels regroupés partagent la même."""
    effectifs = _nombre_par_commune(habitat, regle)
    lieux = -(-effectifs // regle.regroupes)
    rang = tirage.tirer(lieux, regle.etalement, hasard)
    commune = adresses.commune[rang]
    manque = effectifs - np.bincount(commune, minlength=effectifs.size)
    supplement = np.zeros(rang.size, dtype=np.int64)
    premier = np.r_[True, commune[1:] != commune[:-1]] if rang.size else np.zeros(0, bool)
    ordre = np.arange(rang.size) - np.maximum.accumulate(np.where(premier, np.arange(rang.size), 0))
    nombre = np.bincount(commune, minlength=effectifs.size)[commune]
    base, reste = np.divmod(manque[commune], np.maximum(nombre, 1))
    supplement = base + (ordre < reste)
    return np.repeat(rang, 1 + np.maximum(supplement, 0))


def _exceptionnels(
    cadre: Cadre, tirage: TirageAdresses, habitat: Habitat, hasard: np.random.Generator
) -> list[tuple[str, str, Entiers]]:
    """Mairies (une par commune) et cinémas (trois dans le territoire, un au-dehors)."""
    mairies = tirage.tirer(np.ones(habitat.x.size, dtype=np.int64), 0.06, hasard)
    cinemas = np.zeros(habitat.x.size, dtype=np.int64)
    for groupe, nombre in (
        (habitat.interieure, cadre.part(NOMBRE_CINEMAS)),
        (~habitat.interieure, 1),
    ):
        rangs = np.flatnonzero(groupe)
        cinemas[rangs[np.argsort(-habitat.population[rangs], kind="stable")[:nombre]]] = 1
    return [
        ("A129", "Mairie", mairies),
        ("F303", "Cinéma", tirage.tirer(cinemas, 0.25, hasard)),
    ]


def construire_equipements(
    cadre: Cadre,
    adresses: Adresses,
    habitat: Habitat,
    commerces: pd.DataFrame,
    gares: pd.DataFrame,
) -> pd.DataFrame:
    """Équipements de la BPE : TYPEQU, nom, code_commune, commune, x, y (mètres).

    Parameters
    ----------
    commerces
        Table de ``construire_commerces`` : les commerces actifs codés par la BPE y figurent.
    gares
        Colonnes nom, x, y, commune (rang) et principale (booléen).
    """
    hasard = cadre.hasard(62)
    tirage = TirageAdresses(adresses)
    tirages = [
        (r.code, r.nom, _placer_regle(tirage, adresses, habitat, r, hasard)) for r in REGLES
    ] + _exceptionnels(cadre, tirage, habitat, hasard)
    parts = []
    for code, nom, rang in tirages:
        commune = adresses.commune[rang]
        noms = [f"{nom} n° {i + 1}" for i in range(rang.size)]
        if code == "A129":
            noms = [f"Mairie de {habitat.noms[k]}" for k in commune]
        parts.append(
            pd.DataFrame(
                {
                    "TYPEQU": code,
                    "nom": noms,
                    "code_commune": np.array(habitat.codes)[commune],
                    "commune": np.array(habitat.noms)[commune],
                    "x": adresses.x[rang],
                    "y": adresses.y[rang],
                }
            )
        )
    codes = commerces["categorie"].map({c: v[3] for c, v in CATEGORIES.items()})
    codee = (codes != "") & (commerces["etat"] == "actif")
    parts.append(
        commerces.loc[codee, ["nom", "code_commune", "commune", "x", "y"]].assign(
            TYPEQU=codes[codee]
        )
    )
    parts.append(
        pd.DataFrame(
            {
                "TYPEQU": np.where(gares["principale"], "E108", "E109"),
                "nom": gares["nom"],
                "code_commune": np.array(habitat.codes)[gares["commune"]],
                "commune": np.array(habitat.noms)[gares["commune"]],
                "x": gares["x"],
                "y": gares["y"],
            }
        )
    )
    return pd.concat(parts, ignore_index=True)


def mettre_au_format_bpe(cadre: Cadre, equipements: pd.DataFrame) -> pd.DataFrame:
    """Table aux colonnes de la BPE 2024, avec une part de positions médiocres ou absentes."""
    hasard = cadre.hasard(63)
    n = len(equipements)
    x, y = equipements["x"].to_numpy().round(0), equipements["y"].to_numpy().round(0)
    lon, lat = en_degres(x, y)
    code = equipements["TYPEQU"].to_numpy()
    tirage = hasard.random(n)
    # Comme à l'INSEE, une bonne part des bassins de natation n'est pas géolocalisée.
    absente = (code == "F101") & (tirage < 0.35)
    qualite = np.where(tirage < 0.93, "B", np.where(tirage < 0.985, "A", "M"))
    qualite = np.where(absente, "_U", qualite)
    table = pd.DataFrame("", index=range(n), columns=list(COLONNES_BPE))
    table["AN"] = "2024"
    table["NOMRS"] = equipements["nom"].str.upper().to_numpy()
    table["CODPOS"] = equipements["code_commune"].to_numpy()
    table["DEPCOM"] = equipements["code_commune"].to_numpy()
    table["DEP"], table["REG"] = DEPARTEMENT, "00"
    table["LIBCOM"] = equipements["commune"].to_numpy()
    table["DOM"], table["SDOM"] = [c[0] for c in code], [c[:2] for c in code]
    table["TYPEQU"] = code
    table["STATUT_DIFFUSION"] = "O"
    scolaire = np.array([c.startswith("C") for c in code])
    table["SECT"] = np.where(scolaire, np.where(tirage < 0.85, "PU", "PR"), "_Z")
    table["MULTIPLEXE"] = np.where(code == "F303", "0", "_Z")
    for colonne in (c for c in COLONNES_BPE if c.startswith("INDIC_")):
        table[colonne] = "0"
    for colonne, valeurs, forme in (
        ("LAMBERT_X", x, "{:.0f}"),
        ("LAMBERT_Y", y, "{:.0f}"),
        ("LONGITUDE", lon, "{:.6f}"),
        ("LATITUDE", lat, "{:.6f}"),
    ):
        textes = [forme.format(v) for v in valeurs]
        table[colonne] = np.where(absente, "", textes)
    table["QUALITE_XY"], table["EPSG"] = qualite, "2154"
    table["QUALITE_GEOLOC"] = np.select(
        [absente, qualite == "B", qualite == "A"], ["_Z", "11", "12"], "33"
    )
    table["TR_DIST_PRECISION"] = np.select(
        [absente, qualite == "B", qualite == "A"], ["_U", "< 100", "[100 - 500["], ">= 500"
    )
    table["DCIRIS"] = equipements["code_commune"].to_numpy() + "0000"
    return table.sort_values(["DEPCOM", "TYPEQU", "LAMBERT_X", "LAMBERT_Y"], kind="stable")

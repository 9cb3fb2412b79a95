"""Suivi : deux diagnostics du même territoire comparés, à deux dates ou sur deux jeux de données.

Deux diagnostics ne se comparent que s'ils posent la même question : mêmes hypothèses, mêmes
services, mêmes modes. Sinon la différence mesurerait l'hypothèse autant que le territoire, et la
comparaison est refusée, sauf demande expresse.

L'évolution d'une zone se décompose exactement, pour chaque service, en deux effets :

- effet d'accès : ``somme de P_avant · (d_après − d_avant)``, services ou trajets ont changé ;
- effet de population : ``somme de (P_après − P_avant) · d_après``, les habitants ont changé.

``d`` vaut 1 si le carreau est desservi sous le seuil ; un carreau absent d'un diagnostic y compte
zéro habitant, et prend l'accès de l'autre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    diviser,
    etiqueter_zones,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.etude import colonne_temps
from donnees_geo.erreurs import ErreurConfiguration

#: Ce qui doit être égal pour que deux diagnostics se comparent : clé de la description → nom.
_COMPARABLES: Final[Mapping[str, str]] = {
    "ponderation": "pondération",
    "modes": "modes",
    "services": "services",
    "aller_retour": "aller-retour",
}
_ZONAGES: Final = (
    ("secteur", "code_secteur"),
    ("bassin_de_vie", "code_bassin_de_vie"),
    ("commune", "code_commune"),
)


@dataclass(frozen=True)
class Diagnostic:
    """Un diagnostic relu, vu par la comparaison.

    Attributes
    ----------
    acces
        Une ligne par carreau (``ResultatEtude.acces``).
    indicateurs
        Table des indicateurs, pour le nom des zones.
    description
        Contenu de ``resultat.json``.
    """

    acces: pd.DataFrame
    indicateurs: pd.DataFrame
    description: Mapping[str, Any]


@dataclass(frozen=True)
class Ecarts:
    """Ce qui sépare deux diagnostics avant même de regarder leurs résultats.

    Attributes
    ----------
    hypotheses
        Différences d'hypothèses, de services, de modes ou de pondération, une phrase chacune :
        elles empêchent la comparaison.
    donnees
        Différences de données (fichiers sources, jour étudié) : c'est ce que le suivi mesure.
    """

    hypotheses: tuple[str, ...]
    donnees: tuple[str, ...]


@dataclass(frozen=True)
class Suivi:
    """Comparaison de deux diagnostics.

    Attributes
    ----------
    evolution
        Par zone et service : ``zone_*``, ``palier``, ``fonction``, ``service``, ``seuil_s``,
        ``population_avant_hab``, ``population_apres_hab``, ``desservie_avant_hab``,
        ``desservie_apres_hab``, ``part_avant``, ``part_apres``, ``effet_acces_hab``,
        ``effet_population_hab`` (leur somme est l'évolution des desservis), ``gagnent_hab`` et
        ``perdent_hab`` (habitants d'avant qui passent sous le seuil, ou au-dessus).
    carreaux
        ``carreau``, ``code_commune``, ``presence`` (``les_deux``, ``avant``, ``apres``),
        ``population_avant_hab``, ``population_apres_hab``, et par service
        ``ecart_<service>_s`` (après − avant, négatif : plus proche ; NaN sans deux temps finis).
    ecarts
        Différences d'hypothèses et de données.
    """

    evolution: pd.DataFrame
    carreaux: pd.DataFrame
    ecarts: Ecarts

    @property
    def cause(self) -> str:
        """Ce à quoi l'évolution peut être attribuée, en une phrase."""
        if not self.ecarts.hypotheses and not self.ecarts.donnees:
            return "Mêmes données et mêmes hypothèses : aucune évolution n'est attendue."
        if not self.ecarts.hypotheses:
            return "L'évolution vient des données : les hypothèses sont les mêmes."
        if not self.ecarts.donnees:
            return "L'évolution vient des hypothèses : les données sont les mêmes."
        return (
            "Les données et les hypothèses ont changé : leurs effets ne se séparent pas. Relancer "
            "l'un des deux diagnostics avec les hypothèses de l'autre les séparerait."
        )


def relever_ecarts(avant: Mapping[str, Any], apres: Mapping[str, Any]) -> Ecarts:
    """Différences entre les descriptions de deux diagnostics.

    Parameters
    ----------
    avant, apres
        Contenus de ``resultat.json``.
    """
    hypotheses = []
    for cle, nom in _COMPARABLES.items():
        hypotheses.extend(_differer(nom, avant.get(cle), apres.get(cle)))
    parametres_avant, parametres_apres = avant.get("parametres", {}), apres.get("parametres", {})
    for cle in sorted({*parametres_avant, *parametres_apres}):
        hypotheses.extend(_differer(cle, parametres_avant.get(cle), parametres_apres.get(cle)))
    donnees = _differer("jour étudié", *(_dire_jour(d.get("jour")) for d in (avant, apres)))
    sources = [d.get("sources", []) for d in (avant, apres)]
    if all(sources) or not any(sources):
        donnees += _ecarts_sources(*sources)
    else:
        donnees.append("fichiers sources : inconnus de l'un des deux diagnostics")
    if not donnees and avant.get("empreinte_territoire") != apres.get("empreinte_territoire"):
        donnees.append("territoire préparé : empreintes différentes, sources inconnues")
    return Ecarts(tuple(hypotheses), tuple(donnees))


def _differer(nom: str, avant: object, apres: object) -> list[str]:
    if avant == apres:
        return []
    if isinstance(avant, list) and isinstance(apres, list) and _plate(avant) and _plate(apres):
        retires = [str(v) for v in avant if v not in apres]
        ajoutes = [str(v) for v in apres if v not in avant]
        morceaux = [f"+ {', '.join(ajoutes)}"] * bool(ajoutes)
        morceaux += [f"− {', '.join(retires)}"] * bool(retires)
        return [f"{nom} : {' ; '.join(morceaux) or 'ordre différent'}"]
    return [f"{nom} : {_dire(avant)} → {_dire(apres)}"]


def _dire_jour(iso: str | None) -> str | None:
    """Jour étudié à la française."""
    return date.fromisoformat(iso).strftime("%d/%m/%Y") if iso else None


def _plate(liste: list[object]) -> bool:
    return all(isinstance(v, str | int | float) for v in liste)


def _dire(valeur: object) -> str:
    return "absent" if valeur is None else str(valeur)


def _ecarts_sources(
    avant: Sequence[Mapping[str, str]], apres: Sequence[Mapping[str, str]]
) -> list[str]:
    """Une phrase par fichier source ajouté, retiré ou changé."""
    par_cle_avant, par_cle_apres = ({s["cle"]: s for s in liste} for liste in (avant, apres))
    phrases = []
    for cle in sorted({*par_cle_avant, *par_cle_apres}):
        a, b = par_cle_avant.get(cle), par_cle_apres.get(cle)
        if a is None or b is None:
            phrases.append(f"{cle} : {'ajouté' if a is None else 'retiré'}")
        elif a["empreinte"] != b["empreinte"]:
            dates = [s.get("date_donnees") or "date inconnue" for s in (a, b)]
            phrases.append(f"{cle} : {a['fichier']} ({dates[0]}) → {b['fichier']} ({dates[1]})")
    return phrases


def comparer_diagnostics(avant: Diagnostic, apres: Diagnostic, *, forcer: bool = False) -> Suivi:
    """Comparer deux diagnostics : ce qui a changé, où, pour combien d'habitants.

    Parameters
    ----------
    avant, apres
        Diagnostics du même territoire.
    forcer
        Comparer malgré des hypothèses différentes ; seuls les services communs le sont.

    Raises
    ------
    ErreurConfiguration
        Hypothèses, services, modes ou pondération différents (l'erreur les énumère tous) et
        ``forcer`` est faux ; ou aucun carreau ou aucun service en commun.
    """
    ecarts = relever_ecarts(avant.description, apres.description)
    if ecarts.hypotheses and not forcer:
        raise ErreurConfiguration(
            "Ces deux diagnostics ne posent pas la même question :\n"
            + "\n".join(f"  - {e}" for e in ecarts.hypotheses),
            objet="comparaison",
            conseil="relancer l'un des diagnostics avec les hypothèses de l'autre, ou forcer la "
            "comparaison (--forcer)",
        )
    connus = [s for s in avant.description["services"] if s in apres.description["services"]]
    commun = np.intersect1d(avant.acces["carreau"], apres.acces["carreau"])
    if not connus or not commun.size:
        raise ErreurConfiguration(
            "Ces deux diagnostics n'ont rien en commun.",
            objet="comparaison",
            attendu="au moins un carreau et un service des deux côtés",
            trouve=f"{commun.size} carreau(x) et {len(connus)} service(s) en commun",
            conseil="vérifier que les deux dossiers portent sur le même territoire",
        )
    tables = _aligner(avant.acces, apres.acces)
    poids = tuple(_poids(t, apres.description["ponderation"]) for t in tables)
    fiches = _fiches_services(apres.indicateurs)
    par_surface = apres.description["ponderation"] != "population"
    evolution = _evoluer(tables, poids, connus, fiches, _zonages(tables, avant, apres))
    if par_surface:
        habitants = [c for c in evolution.columns if c.endswith("_hab")]
        evolution = evolution.assign(**dict.fromkeys(habitants, np.nan))
    return Suivi(evolution, _ecarts_carreaux(tables, poids, connus, avant, apres), ecarts)


def _aligner(avant: pd.DataFrame, apres: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Les deux tables sur la réunion de leurs carreaux, triée : mêmes lignes, mêmes rangs."""
    tous = pd.Index(sorted({*avant["carreau"], *apres["carreau"]}), name="carreau")
    a = avant.set_index("carreau").reindex(tous)
    b = apres.set_index("carreau").reindex(tous)
    return a, b


def _poids(table: pd.DataFrame, ponderation: str) -> NDArray[np.float64]:
    colonne = "population_hab" if ponderation == "population" else "surface_m2"
    return np.asarray(np.nan_to_num(table[colonne].to_numpy(dtype=np.float64)))


def _fiches_services(indicateurs: pd.DataFrame) -> dict[str, tuple[str, str, float]]:
    """Service → palier, fonction et seuil, d'après la table des indicateurs."""
    uniques = indicateurs.drop_duplicates("service")
    return {
        str(ligne["service"]): (str(ligne["palier"]), str(ligne["fonction"]), ligne["seuil_s"])
        for _, ligne in uniques.iterrows()
    }


def _zonages(
    tables: tuple[pd.DataFrame, pd.DataFrame], avant: Diagnostic, apres: Diagnostic
) -> list[Zonage]:
    """Zonages d'après les codes des carreaux ; celui d'après l'emporte."""
    a, b = tables
    noms: dict[tuple[str, str], str] = {}
    for diagnostic in (avant, apres):
        lignes = diagnostic.indicateurs.drop_duplicates(["zone_type", "zone_code"])
        for _, ligne in lignes.iterrows():
            noms[str(ligne["zone_type"]), str(ligne["zone_code"])] = str(ligne["zone_nom"])
    tout = noms.get(("territoire", "territoire"), "")
    zonages = [Zonage("territoire", ("territoire",), (tout,), np.zeros(len(a), dtype=np.int64))]
    for type_zone, colonne in _ZONAGES:
        if colonne not in a or colonne not in b:
            continue
        codes = b[colonne].fillna(a[colonne]).fillna("").astype(str).to_numpy(dtype=object)
        distincts = tuple(sorted({c for c in codes if c}))
        if distincts:
            rang = pd.Index(distincts).get_indexer(codes).astype(np.int64)
            intitules = tuple(noms.get((type_zone, c), c) for c in distincts)
            zonages.append(Zonage(type_zone, distincts, intitules, rang))
    return zonages


def _desservi(
    tables: tuple[pd.DataFrame, pd.DataFrame], service: str, seuil_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1 si le carreau est desservi ; un carreau absent d'un côté prend l'accès de l'autre."""
    colonne = colonne_temps(service, PLUS_RAPIDE)
    a, b = tables
    present_a, present_b = a["surface_m2"].notna(), b["surface_m2"].notna()
    da = (a[colonne] <= seuil_s).to_numpy(dtype=np.float64)
    db = (b[colonne] <= seuil_s).to_numpy(dtype=np.float64)
    return np.where(present_a, da, db), np.where(present_b, db, da)


def _evoluer(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    poids: tuple[NDArray[np.float64], ...],
    services: Sequence[str],
    fiches: Mapping[str, tuple[str, str, float]],
    zonages: Sequence[Zonage],
) -> pd.DataFrame:
    pa, pb = poids
    blocs = []
    for service in services:
        palier, fonction, seuil_s = fiches[service]
        da, db = _desservi(tables, service, seuil_s)
        # Sans aucun temps d'un côté, rien n'y est mesuré : ni gain ni perte.
        mesure = all(t[colonne_temps(service, PLUS_RAPIDE)].notna().any() for t in tables)
        quantites = {
            "population_avant_hab": pa,
            "population_apres_hab": pb,
            "desservie_avant_hab": pa * da,
            "desservie_apres_hab": pb * db,
            "effet_acces_hab": pa * (db - da),
            "effet_population_hab": (pb - pa) * db,
            "gagnent_hab": pa * ((db > da) * 1.0),
            "perdent_hab": pa * ((db < da) * 1.0),
        }
        valeurs = np.column_stack(list(quantites.values()))
        if not mesure:
            valeurs[:, 2:] = np.nan
        for zonage in zonages:
            zones = len(zonage.codes)
            sommes = dict(zip(quantites, sommer_par_zone(zonage, valeurs).T, strict=True))
            blocs.append(
                {
                    **etiqueter_zones(zonage),
                    "palier": np.full(zones, palier, dtype=object),
                    "fonction": np.full(zones, fonction, dtype=object),
                    "service": np.full(zones, service, dtype=object),
                    "seuil_s": np.full(zones, seuil_s),
                    **sommes,
                    "part_avant": diviser(
                        sommes["desservie_avant_hab"], sommes["population_avant_hab"]
                    ),
                    "part_apres": diviser(
                        sommes["desservie_apres_hab"], sommes["population_apres_hab"]
                    ),
                }
            )
    return assembler_blocs(blocs)


def _ecarts_carreaux(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    poids: tuple[NDArray[np.float64], ...],
    services: Sequence[str],
    avant: Diagnostic,
    apres: Diagnostic,
) -> pd.DataFrame:
    a, b = tables
    presence = np.where(
        a["surface_m2"].isna(), "apres", np.where(b["surface_m2"].isna(), "avant", "les_deux")
    )
    colonnes: dict[str, object] = {
        "carreau": a.index.to_numpy(),
        "code_commune": b["code_commune"].fillna(a["code_commune"]).to_numpy(),
        "presence": presence,
    }
    if avant.description["ponderation"] == apres.description["ponderation"] == "population":
        colonnes |= {"population_avant_hab": poids[0], "population_apres_hab": poids[1]}
    for service in services:
        nom = colonne_temps(service, PLUS_RAPIDE)
        ta, tb = (t[nom].to_numpy(dtype=np.float64) for t in tables)
        finis = np.isfinite(ta) & np.isfinite(tb)
        ecart = np.where(finis, np.where(finis, tb, 0) - np.where(finis, ta, 0), np.nan)
        colonnes[f"ecart_{service}_s"] = ecart.astype(np.float32)
    return pd.DataFrame(colonnes)

"""Volet « Ce qui manque » : à qui manque un service, ou l'un de plusieurs, et où."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.bilans.manques import relever_manques, resumer_manques
from couches.composition import legende_temps, nommer_service
from couches.couche import EntreeLegende
from couches.textes import duree, nombre, part
from donnees_geo.configuration import Service
from donnees_geo.conventions import LIBELLES_FONCTIONS, LIBELLES_MODES, LIBELLES_PALIERS
from pages._carences import donnees
from pages._carences.classement import (
    CarreauxClasses,
    Classement,
    Colonne,
    composer_lignes,
    compter,
    compter_gens,
    dire_premiere,
    legende_parts,
    nommer_type,
    trier_zones,
)
from pages._carences.reglages import TOUS, Reglages, filtrer_services
from pages._commun.partage import Partage

#: Bornes hautes du nombre de services hors de portée d'un carreau, et leurs couleurs.
BORNES_MANQUES: Final = (0, 1, 2, 4)
LEGENDE_MANQUES: Final = (
    EntreeLegende("#edf2f7", "aucun"),
    EntreeLegende("#bcd3e6", "1"),
    EntreeLegende("#7fabd0", "2"),
    EntreeLegende("#3a7ab1", "3 ou 4"),
    EntreeLegende("#0b4a82", "5 et plus"),
)


def services_retenus(partage: Partage, reglages: Reglages) -> list[Service]:
    """Services des filtres : un seul, ou ceux du palier et de la fonction."""
    if reglages.service != TOUS:
        return [s for s in partage.resultat.services if s.id == reglages.service]
    return filtrer_services(partage, reglages.palier, reglages.fonction)


def composer_carences(partage: Partage, reglages: Reglages) -> Classement:
    """Zones classées par habitants à qui manque un des services retenus."""
    services = services_retenus(partage, reglages)
    poids, par_population = partage.ponderation
    manque, mesures = relever_manques(partage.resultat, [s.id for s in services])
    table, tout = (
        resumer_manques(partage.zonages[t], manque, mesures, poids)
        for t in (reglages.regroupement, "territoire")
    )
    table = trier_zones(table, reglages)
    un = mesures[0] if len(mesures) == 1 else None
    manquants = float(tout["manque"].iloc[0])
    total = float(tout["poids"].iloc[0])
    habitants = "habitants" if par_population else "de surface"
    quoi = nommer_service(un) if un else f"les {len(mesures)} services"
    phrases = [dire_premiere(table, reglages, par_population=par_population)]
    if un is None:
        phrases.append(_dire_pire(partage, tout, par_population=par_population))
    colonnes, cellules = _colonnes(partage, reglages, table, un, par_population=par_population)
    return Classement(
        titre=_poser_question(partage, reglages, mesures),
        chiffre=compter(manquants, par_population=par_population),
        chiffre_legende=(
            f"{habitants} sur {compter(total, par_population=par_population)} "
            f"({part(manquants / total if total > 0 else float('nan'))}) "
            f"{'n’ont' if par_population else 'n’a'} pas {quoi} à portée"
        ),
        phrase=" ".join(p for p in phrases if p),
        colonnes=colonnes,
        lignes=composer_lignes(
            table,
            cellules,
            [
                f"{nom} : {compter_gens(float(m), par_population=par_population)} sans {quoi} "
                f"à portée ({part(float(p))})"
                for nom, m, p in zip(table["nom"], table["manque"], table["part"], strict=True)
            ],
        ),
        legende=_legende(partage, reglages, un),
        legende_titre=_titre_legende(reglages, un, par_population=par_population),
        hypotheses=_dire_regles(partage, mesures),
        table=_pour_tableur(table, par_population=par_population),
        carreaux=_carreaux(partage, reglages, manque, un),
    )


def _poser_question(partage: Partage, reglages: Reglages, mesures: Sequence[Service]) -> str:
    if len(mesures) == 1:
        return f"À qui manque {nommer_service(mesures[0])} à {_dire_portee(partage, mesures[0])} ?"
    fonction, palier = "", ""
    if reglages.fonction != TOUS:
        fonction = f" pour « {LIBELLES_FONCTIONS[reglages.fonction].replace(chr(39), '’')} »"
    if reglages.palier != TOUS:
        nom = LIBELLES_PALIERS[reglages.palier]
        palier = " de proximité" if reglages.palier == "proximite" else f" du palier {nom}"
        portee = _dire_portee(partage, mesures[0]) if mesures else ""
        return f"À qui manque-t-il un service{palier}{fonction} à {portee} ?"
    return f"À qui manque-t-il un service{fonction}, tous paliers réunis ?"


def _dire_portee(partage: Partage, service: Service) -> str:
    """« 15 minutes à pied ou à vélo »."""
    regle = regle_du_service(service, partage.parametres.seuils)
    modes = " ou ".join(LIBELLES_MODES[m] for m in regle.modes)
    return f"{regle.seuil_s / 60:g} minutes {modes}"


def _dire_pire(partage: Partage, tout: pd.DataFrame, *, par_population: bool) -> str:
    pire = str(tout["service"].iloc[0])
    if not pire:
        return ""
    service = next(s for s in partage.resultat.services if s.id == pire)
    gens = compter_gens(float(tout["service_poids"].iloc[0]), par_population=par_population)
    return f"Ce qui manque le plus souvent : {service.libelle}, à {gens}."


def _colonnes(
    partage: Partage,
    reglages: Reglages,
    table: pd.DataFrame,
    un: Service | None,
    *,
    par_population: bool,
) -> tuple[tuple[Colonne, ...], list[tuple[str, ...]]]:
    communes = (
        Colonne(nommer_type(reglages.regroupement), nombre=False),
        Colonne("il manque à" if par_population else "surface"),
        Colonne("part", barre=True),
        Colonne("sur", facultative=True),
    )
    debut = [
        (
            compter(float(m), par_population=par_population),
            part(float(p)),
            compter(float(t), par_population=par_population),
        )
        for m, p, t in zip(table["manque"], table["part"], table["poids"], strict=True)
    ]
    if un is None:
        libelles = {s.id: s.libelle for s in partage.resultat.services}
        fins: list[tuple[str, ...]] = [(libelles.get(str(s), ""),) for s in table["service"]]
        titres: tuple[Colonne, ...] = (Colonne("le plus souvent", nombre=False),)
    else:
        carences = donnees.carences_de(partage, reglages.regroupement, [un.id])
        proches = {
            str(r["zone_code"]): (
                duree(float(r["temps_median_carence_s"])),
                donnees.nommer_proche(partage, r),
            )
            for _, r in carences.iterrows()
        }
        fins = [proches.get(str(c), ("", "")) for c in table["code"]]
        titres = (Colonne("à combien"), Colonne("le plus proche", nombre=False))
    return (*communes, *titres), [(*a, *b) for a, b in zip(debut, fins, strict=True)]


def _legende(partage: Partage, reglages: Reglages, un: Service | None) -> tuple[EntreeLegende, ...]:
    if not reglages.carreaux:
        return legende_parts()
    return LEGENDE_MANQUES if un is None else legende_temps(partage.styles)


def _titre_legende(reglages: Reglages, un: Service | None, *, par_population: bool) -> str:
    if not reglages.carreaux:
        quoi = "des habitants" if par_population else "de la surface"
        return f"Part {quoi} à qui il manque {'ce service' if un else 'un de ces services'}"
    return "Temps d’accès" if un else "Services hors de portée, par carreau"


def _carreaux(
    partage: Partage, reglages: Reglages, manque: np.ndarray, un: Service | None
) -> CarreauxClasses | None:
    if not reglages.carreaux:
        return None
    if un is not None:
        classes = partage.classes((un.id,), PLUS_RAPIDE)
        return CarreauxClasses(classes, partage.styles.couleurs_temps)
    classes = np.searchsorted(BORNES_MANQUES, manque.sum(axis=1), side="left").astype(np.uint8)
    return CarreauxClasses(classes, tuple(e.couleur for e in LEGENDE_MANQUES))


def _dire_regles(partage: Partage, mesures: Sequence[Service]) -> str:
    regles = dict.fromkeys(
        f"{LIBELLES_PALIERS[s.palier]} à {_dire_portee(partage, s)}" for s in mesures
    )
    marche, velo = partage.parametres.vitesse_marche_kmh, partage.parametres.vitesse_velo_kmh
    texte = f"Règle : {' ; '.join(regles)} ; le plus rapide compte."
    return f"{texte} Marche à {nombre(marche, 1)} km/h, vélo à {nombre(velo)} km/h."


def _pour_tableur(table: pd.DataFrame, *, par_population: bool) -> pd.DataFrame:
    suffixe = "hab" if par_population else "m2"
    return table.rename(
        columns={
            "poids": f"total_{suffixe}",
            "manque": f"manque_{suffixe}",
            "moyenne": "services_hors_de_portee",
            "service": "service_manquant",
            "service_poids": f"service_manquant_{suffixe}",
        }
    )

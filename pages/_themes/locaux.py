"""Vue « Locaux vides » : communes qui ont des locaux vacants et à qui un service manque."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from couches.textes import nombre, part, pluriel
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.cercles import COMMUNE, Cercles, montrer_cercles
from pages._themes.classes import COULEURS_MANQUE, couleur_part, dire_parts, legende_parts
from pages._themes.reglages import ReglagesPage

SERVICE: Final = "service"
PIRES: Final = 5


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : service à installer (vide : le plus demandé), commune choisie."""
    return {
        SERVICE: ["", *donnees.hypotheses(partage).services_en_local],
        COMMUNE: ["", *partage.noms_communes],
    }


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Choix du service."""
    libelles = {"": "celui qui manque le plus"} | {
        s.id: s.libelle for s in partage.resultat.services
    }
    ecran.choisir_dans(reglages, SERVICE, "Service à installer", libelles)


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    lu = donnees.commerce(partage)
    if lu is None:
        donnees.dire_sans_commerce()
        return
    if lu.vacance.empty:
        st.html(
            phrase("Aucune commune n’a à la fois un local vacant connu et un service manquant.")
        )
        return
    services = sommer_par_service(lu.vacance)
    service = str(reglages[SERVICE]) or str(services["service"].iloc[0])
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    lignes = lu.vacance[lu.vacance["service"] == service].reset_index(drop=True)
    choisie = str(reglages[COMMUNE])
    with ecran.vue(
        f"Où un local vide peut-il accueillir le service « {libelles.get(service, service)} » ?",
        "Communes qui ont des locaux vacants, et des habitants à qui ce service manque",
    ) as (gauche, droite):
        with gauche:
            _carte(partage, reglages, lignes)
        droite.html(_panneau(lu.vacance, lignes, choisie))
    if est_projecteur():
        return
    ecran.section("Commune par commune")
    _tableau_communes(reglages, lignes, choisie)
    ecran.section("Services qu’un local peut accueillir")
    _tableau_services(reglages, services, libelles, service)
    ecran.telecharger({"Vacance et manques": (lu.vacance, "vacance_manques.csv")})


def sommer_par_service(vacance: pd.DataFrame) -> pd.DataFrame:
    """Communes et habitants concernés par service, le plus demandé d'abord."""
    sommes = vacance.groupby("service", as_index=False).agg(
        communes=("zone_code", "nunique"),
        locaux_vacants=("locaux_vacants", "sum"),
        population_carence_hab=("population_carence_hab", "sum"),
    )
    return sommes.sort_values(
        ["population_carence_hab", "service"], ascending=[False, True], ignore_index=True
    )


def _carte(partage: Partage, reglages: ReglagesPage, lignes: pd.DataFrame) -> None:
    vacants = lignes["locaux_vacants"].to_numpy(dtype=np.float64)
    montrer_cercles(
        partage,
        reglages,
        Cercles(
            lignes["zone_code"].astype(str).tolist(),
            vacants,
            [couleur_part(v, COULEURS_MANQUE) for v in lignes["part_carence"].tolist()],
            {
                "locaux vacants": [nombre(v) for v in vacants.tolist()],
                "sans ce service": dire_parts(
                    lignes["population_carence_hab"], lignes["part_carence"]
                ),
            },
            "Locaux vacants",
            "locaux",
        ),
        "Carte des communes : locaux vacants, et part des habitants à qui le service manque ; le "
        "tableau dessous dit la même chose.",
        [("Habitants à qui le service manque", legende_parts(COULEURS_MANQUE))],
        cle_carte="carte_locaux",
    )


def _panneau(vacance: pd.DataFrame, lignes: pd.DataFrame, choisie: str) -> str:
    habitants = float(lignes["population_carence_hab"].sum())
    sans_lieu = int((lignes["equipements_commune"] == 0).sum())
    blocs = [
        grand_chiffre(
            nombre(habitants), "habitants à qui il manque, dans une commune qui a un local vide"
        ),
        phrase(
            f"{pluriel(len(lignes), 'commune')} et "
            f"{pluriel(float(lignes['locaux_vacants'].sum()), 'local vacant', 'locaux vacants')} ; "
            f"{nombre(sans_lieu)} de ces communes n’ont aucun lieu de ce service."
        ),
    ]
    if len(lignes):
        blocs.append(
            '<h3 class="dh-h2">Communes les plus concernées</h3>'
            + ecran.tableau_court(
                ("commune", "locaux", "habitants", "part"),
                [
                    (
                        str(c["zone_nom"]),
                        nombre(float(c["locaux_vacants"])),
                        nombre(float(c["population_carence_hab"])),
                        part(float(c["part_carence"]), 0),
                    )
                    for c in lignes.head(PIRES).to_dict("records")
                ],
                "Communes les plus concernées",
            )
        )
    siens = vacance[vacance["zone_code"].astype(str) == choisie]
    if len(siens):
        manques = ", ".join(
            f"{s} ({nombre(h)})"
            for s, h in zip(
                siens["service"].head(6).str.replace("_", " "),
                siens["population_carence_hab"].head(6),
                strict=True,
            )
        )
        vides = float(siens["locaux_vacants"].iloc[0])
        blocs.append(
            phrase(
                f"{siens['zone_nom'].iloc[0]} : "
                f"{pluriel(vides, 'local vacant', 'locaux vacants')} ; il y manque {manques}."
            )
        )
    blocs.append(
        hypothese(
            "Un service manque à un habitant quand le plus proche dépasse le seuil de son palier. "
            "La vacance est celle que la source des commerces relève."
        )
    )
    return "".join(blocs)


def _tableau_communes(reglages: ReglagesPage, lignes: pd.DataFrame, choisie: str) -> None:
    montre = pd.DataFrame(
        {
            "commune": lignes["zone_nom"],
            "locaux vacants": lignes["locaux_vacants"],
            "habitants à qui il manque": lignes["population_carence_hab"].round(),
            "part": lignes["part_carence"],
            "lieux dans la commune": lignes["equipements_commune"],
        }
    )
    ecran.montrer_table(
        montre,
        {
            "locaux vacants": ecran.ENTIER,
            "habitants à qui il manque": ecran.ENTIER,
            "part": ecran.PART,
        },
        cle_table="table_locaux",
        codes=lignes["zone_code"].astype(str).tolist(),
        choisi=choisie,
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )


def _tableau_services(
    reglages: ReglagesPage, services: pd.DataFrame, libelles: dict[str, str], service: str
) -> None:
    montre = pd.DataFrame(
        {
            "service": services["service"].map(libelles),
            "communes": services["communes"],
            "habitants à qui il manque": services["population_carence_hab"].round(),
        }
    )
    ecran.montrer_table(
        montre,
        {"habitants à qui il manque": ecran.ENTIER},
        cle_table="table_services_locaux",
        codes=services["service"].astype(str).tolist(),
        choisi=service,
        choisir=lambda code: reglages.poser(SERVICE, code),
        hauteur=320,
    )


VUE: Final = ecran.Vue("Locaux vides et manques", permettre, regler, afficher)

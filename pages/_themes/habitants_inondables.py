"""Vue « Habitants inondables » : qui vit en zone inondable, et manque aussi d'un service."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from accessibilite.croisements.inondation import TOUT_SERVICE
from couches.textes import nombre, part, pluriel
from donnees_geo.conventions import PALIERS
from donnees_geo.thematiques.zones_inondables_codes import HORS_ZONE, LIBELLES_FAMILLES, NIVEAUX
from pages._commun.etat import NOMS_PALIERS, est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.cercles import COMMUNE, Cercles, montrer_cercles
from pages._themes.classes import COULEURS_MANQUE, couleur_part, dire_parts, legende_parts
from pages._themes.reglages import ReglagesPage
from pages._themes.services_inondables import PIRES, dire_sans_zone

ZONAGE: Final = "zonage"
NIVEAU: Final = "niveau"
MANQUE: Final = "manque"
TOUS_NIVEAUX: Final = ""
ZONAGES: Final = {
    "reglement": "PPR : règlement",
    "alea": "PPR : aléa",
    "tri": "TRI : crues",
    "hauteur": "TRI : hauteurs d’eau",
    "azi": "Atlas des zones inondables",
    "nappe": "Remontées de nappe",
    "autre": "Autre zonage",
}


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : zonage, niveau, ce qui manque, commune choisie."""
    zones = donnees.themes(partage).zones_inondables
    if zones is None or zones.empty:
        return {}
    presentes = set(zones["famille"].astype(str))
    niveaux = [f"{f}:{n.code}" for f, liste in NIVEAUX.items() if f in presentes for n in liste]
    return {
        ZONAGE: [f for f in NIVEAUX if f in presentes],
        NIVEAU: [TOUS_NIVEAUX, *niveaux],
        MANQUE: [
            *(f"palier:{p}" for p in PALIERS),
            *(f"service:{s.id}" for s in partage.resultat.services),
        ],
        COMMUNE: ["", *partage.noms_communes],
    }


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Choix du zonage, du niveau et de ce qui manque."""
    if not permettre(partage):
        return
    services = {f"service:{s.id}": s.libelle for s in partage.resultat.services}
    paliers = {f"palier:{p}": f"un service {NOMS_PALIERS[p]}" for p in PALIERS}
    libelles = {f"{f}:{n.code}": n.libelle for f, liste in NIVEAUX.items() for n in liste}
    ecran.choisir_dans(reglages, ZONAGE, "Zonage", ZONAGES)
    zonage = str(reglages[ZONAGE])
    du_zonage = {n: t for n, t in libelles.items() if n.startswith(f"{zonage}:")}
    if reglages[NIVEAU] not in du_zonage:
        reglages.poser(NIVEAU, TOUS_NIVEAUX)
    ecran.choisir_dans(reglages, NIVEAU, "Niveau", {TOUS_NIVEAUX: "tous"} | du_zonage)
    ecran.choisir_dans(reglages, MANQUE, "Ce qui manque", paliers | services)


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    with ecran.avancement("Habitants en zone inondable") as avancer:
        exposition = donnees.exposition(partage, avancer)
    if exposition is None:
        dire_sans_zone()
        return
    zonage, niveau = str(reglages[ZONAGE]), str(reglages[NIVEAU])
    lignes = choisir_lignes(
        exposition.population, zonage, niveau.partition(":")[2], str(reglages[MANQUE])
    )
    communes = cumuler(lignes[lignes["zone_type"] == "commune"])
    commune = str(reglages[COMMUNE])
    quoi = _nommer_manque(partage, str(reglages[MANQUE]))
    with ecran.vue(
        "Qui vit en zone inondable, et manque aussi d’un service ?",
        f"{LIBELLES_FAMILLES[zonage][:1].upper()}{LIBELLES_FAMILLES[zonage][1:]}",
    ) as (gauche, droite):
        with gauche:
            _carte(partage, reglages, zonage, communes, quoi)
        droite.html(_panneau(partage, lignes, communes, commune, quoi))
    if est_projecteur():
        return
    ecran.section("Commune par commune")
    _tableau(reglages, communes, commune)
    ecran.telecharger(
        {
            "Communes": (communes, f"habitants_inondables_{zonage}.csv"),
            "Tous les croisements": (exposition.population, "population_inondable.csv"),
        }
    )


def choisir_lignes(
    population: pd.DataFrame, famille: str, niveau: str, manque: str
) -> pd.DataFrame:
    """Lignes d'un zonage, d'un niveau (vide : tous) et d'un manque (``palier:…``, ``service:…``).

    Un palier compte ceux à qui manque au moins un de ses services.
    """
    genre, _, code = manque.partition(":")
    masque = population["famille"] == famille
    if niveau:
        masque &= population["niveau"] == niveau
    if genre == "palier":
        masque &= (population["palier"] == code) & (population["service"] == TOUT_SERVICE)
    else:
        masque &= population["service"] == code
    return population[masque]


def cumuler(lignes: pd.DataFrame) -> pd.DataFrame:
    """Habitants par zone, tous niveaux réunis : ils ne se recouvrent pas dans une famille.

    Returns
    -------
    pandas.DataFrame
        ``zone_code``, ``zone_nom``, ``population_zone_hab``, ``population_carence_hab`` et
        ``part_carence``, de la zone la plus peuplée en carence à la moins.
    """
    sommes = lignes.groupby(["zone_code", "zone_nom"], as_index=False)[
        ["population_zone_hab", "population_carence_hab"]
    ].sum()
    exposes = sommes["population_zone_hab"]
    sommes["part_carence"] = sommes["population_carence_hab"] / exposes.where(exposes > 0)
    return sommes.sort_values(
        ["population_carence_hab", "population_zone_hab", "zone_code"],
        ascending=[False, False, True],
        ignore_index=True,
    )


def _nommer_manque(partage: Partage, manque: str) -> str:
    genre, _, code = manque.partition(":")
    if genre == "palier":
        return f"au moins un service {NOMS_PALIERS[code]}"
    libelle = next(s.libelle for s in partage.resultat.services if s.id == code)
    return f"le service « {libelle} »"


def _carte(
    partage: Partage, reglages: ReglagesPage, zonage: str, communes: pd.DataFrame, quoi: str
) -> None:
    exposes = communes["population_zone_hab"].to_numpy(dtype=np.float64)
    titre, zones, legende = donnees.calques_risque(partage, zonage)
    montrer_cercles(
        partage,
        reglages,
        Cercles(
            communes["zone_code"].astype(str).tolist(),
            exposes,
            [couleur_part(v, COULEURS_MANQUE) for v in communes["part_carence"].tolist()],
            {
                "en zone inondable": [nombre(v) for v in exposes.tolist()],
                "à qui il manque": dire_parts(
                    communes["population_carence_hab"], communes["part_carence"]
                ),
            },
            "En zone inondable",
            "habitants",
        ),
        f"Carte des communes : habitants en zone inondable, et part de ceux à qui manque {quoi} ; "
        "le tableau dessous dit la même chose.",
        [("dont il manque", legende_parts(COULEURS_MANQUE)), (titre, legende)],
        cle_carte="carte_habitants_inondables",
        dessous=zones,
    )


def _panneau(
    partage: Partage, lignes: pd.DataFrame, communes: pd.DataFrame, choisie: str, quoi: str
) -> str:
    du_territoire = lignes[lignes["zone_type"] == "territoire"]
    exposes = float(du_territoire["population_zone_hab"].sum())
    manquants = float(du_territoire["population_carence_hab"].sum())
    niveaux = {(f, n.code): n.libelle for f, liste in NIVEAUX.items() for n in liste}
    blocs = [
        grand_chiffre(nombre(exposes), "habitants en zone inondable"),
        phrase(
            f"À {pluriel(round(manquants), 'habitant')} d’entre eux "
            f"({part(manquants / exposes if exposes else float('nan'))}) manque aussi {quoi}."
        ),
        '<h3 class="dh-h2">Selon le niveau</h3>',
        ecran.tableau_court(
            ("niveau", "habitants", "il leur manque"),
            [
                (
                    niveaux[str(z["famille"]), str(z["niveau"])],
                    nombre(float(z["population_zone_hab"])),
                    nombre(float(z["population_carence_hab"])),
                )
                for z in du_territoire.sort_values("severite", ascending=False).to_dict("records")
            ],
            "Habitants selon le niveau",
        ),
    ]
    if choisie:
        sienne = communes[communes["zone_code"].astype(str) == choisie]
        en_zone = float(sienne["population_zone_hab"].sum())
        manque = float(sienne["population_carence_hab"].sum())
        blocs.append(
            phrase(
                f"{partage.noms_communes[choisie]} : {pluriel(round(en_zone), 'habitant')} en zone "
                f"inondable, dont {nombre(manque)} à qui manque {quoi}."
            )
        )
    pires = communes[communes["population_carence_hab"] >= 1].head(PIRES)
    if len(pires):
        blocs.append(
            '<h3 class="dh-h2">Communes où ils sont le plus nombreux</h3>'
            + ecran.tableau_court(
                ("commune", "il leur manque", "part"),
                [
                    (str(c["zone_nom"]), nombre(float(c["population_carence_hab"])),
                     part(float(c["part_carence"]), 0))
                    for c in pires.to_dict("records")
                ],
                "Communes les plus concernées",
            )
        )  # fmt: skip
    blocs.append(
        hypothese(
            "La population d’un carreau compte au prorata de sa surface inondable ; le niveau le "
            "plus sévère l’emporte. " + HORS_ZONE
        )
    )
    return "".join(blocs)


def _tableau(reglages: ReglagesPage, communes: pd.DataFrame, choisie: str) -> None:
    montre = pd.DataFrame(
        {
            "commune": communes["zone_nom"],
            "habitants en zone inondable": communes["population_zone_hab"].round(),
            "dont il leur manque": communes["population_carence_hab"].round(),
            "part": communes["part_carence"],
        }
    )
    ecran.montrer_table(
        montre,
        {
            "habitants en zone inondable": ecran.ENTIER,
            "dont il leur manque": ecran.ENTIER,
            "part": ecran.PART,
        },
        cle_table="table_habitants_inondables",
        codes=communes["zone_code"].astype(str).tolist(),
        choisi=choisie,
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )


VUE: Final = ecran.Vue("Habitants inondables", permettre, regler, afficher)

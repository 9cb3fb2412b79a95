"""Le code respecte les couches, les clôtures et les règles du projet.

Les règles lisent l'arbre syntaxique de chaque module ; chacune est aussi essayée sur un petit
arbre fautif, pour qu'une règle qui ne voit plus rien se remarque.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

RACINE = Path(__file__).resolve().parent.parent
#: De gauche à droite : chacune n'importe que celles qui la précèdent.
COUCHES = ("donnees_geo", "accessibilite", "couches", "application")
PAQUETS = ("donnees_geo", "accessibilite", "couches")
LIGNES_MAX = 500

#: Bibliothèque → préfixes de modules qui ont le droit de l'importer.
CLOTURES: Mapping[str, tuple[str, ...]] = {
    "osmnx": ("donnees_geo.osm", "scripts.banc_pairs"),
    "osmium": ("donnees_geo.osm", "donnees_geo.demo", "scripts.banc_pairs"),
    "networkx": ("donnees_geo.osm", "scripts.banc_pairs"),
    "rasterio": ("donnees_geo.relief", "donnees_geo.demo", "couches.sig.export_raster"),
    "folium": ("couches.ecran.carte", "couches.ecran.hors_ligne"),
    "streamlit_folium": ("app", "pages"),
    "streamlit": ("app", "pages"),
    # Solveurs.
    "scipy.optimize": ("accessibilite.implantation",),
    "highspy": ("accessibilite.implantation",),
    "ortools": ("accessibilite.implantation",),
    "pulp": ("accessibilite.implantation",),
    # Réseau : le programme ne va chercher quelque chose que quand on le lui demande.
    "urllib.request": (),
    "urllib3": ("donnees_geo.telechargement.client",),
    "http": (),
    "socket": (),
    "ftplib": (),
    "requests": ("donnees_geo.telechargement.client",),
    "httpx": (),
    "aiohttp": (),
    # Outils d'essai et pairs du banc d'essai.
    "pyrosm": ("scripts.banc_pairs",),
    "pandana": ("scripts.banc_pairs",),
    "igraph": ("scripts.banc_pairs",),
    "valhalla": ("scripts.banc_pairs",),
    "ferrobus": ("scripts.banc_pairs",),
    "pytest": (),
    "hypothesis": (),
    "playwright": ("scripts.banc_visualiseur",),
}
#: Lire des fichiers n'est l'affaire que de donnees_geo.
LECTURES_INTERDITES_AUX_CALCULS = ("pyogrio", "pyarrow", "osmium", "zipfile", "py7zr", "tomllib")


def modules_du_projet(racine: Path) -> dict[str, Path]:
    """Nom de module → fichier, pour les couches et l'application."""
    modules = {}
    for dossier in (*PAQUETS, "scripts", "pages"):
        for fichier in sorted((racine / dossier).rglob("*.py")):
            parties = list(fichier.relative_to(racine).with_suffix("").parts)
            if parties[-1] == "__init__":
                parties.pop()
            modules[".".join(parties)] = fichier
    if (racine / "app.py").exists():
        modules["app"] = racine / "app.py"
    return modules


def imports_de(nom: str, fichier: Path) -> Iterator[tuple[str, int]]:
    """Modules importés (noms complets) et leur ligne, imports différés compris.

    ``from a import b`` rend ``a.b`` : ``b`` peut être un module.
    """
    paquet = nom.split(".") if fichier.name == "__init__.py" else nom.split(".")[:-1]
    for noeud in ast.walk(ast.parse(fichier.read_text(encoding="utf-8"))):
        if isinstance(noeud, ast.Import):
            for alias in noeud.names:
                yield alias.name, noeud.lineno
        elif isinstance(noeud, ast.ImportFrom):
            base = noeud.module or ""
            if noeud.level:
                ancetres = paquet[: len(paquet) - noeud.level + 1]
                base = ".".join([*ancetres, *([base] if base else [])])
            for alias in noeud.names:
                yield f"{base}.{alias.name}", noeud.lineno


def couche_de(module: str) -> str:
    """Couche d'un module du projet."""
    tete = module.split(".")[0]
    return tete if tete in PAQUETS else "application"


def est_sous(module: str, prefixe: str) -> bool:
    """Vrai si ``module`` est ``prefixe`` ou l'un de ses sous-modules."""
    return module == prefixe or module.startswith(prefixe + ".")


def imports_vers_la_droite(modules: Mapping[str, Path]) -> list[str]:
    fautes = []
    for nom, fichier in modules.items():
        for importe, ligne in imports_de(nom, fichier):
            if not any(est_sous(importe, autre) for autre in (*PAQUETS, "scripts", "app", "pages")):
                continue
            if COUCHES.index(couche_de(importe)) > COUCHES.index(couche_de(nom)):
                fautes.append(f"{nom}:{ligne} importe {importe}")
    return fautes


def clotures_franchies(modules: Mapping[str, Path]) -> list[str]:
    return [
        f"{nom}:{ligne} importe {importe}"
        for nom, fichier in modules.items()
        for importe, ligne in imports_de(nom, fichier)
        for bibliotheque, permis in CLOTURES.items()
        if est_sous(importe, bibliotheque) and not any(est_sous(nom, p) for p in permis)
    ]


def appels_interdits(modules: Mapping[str, Path]) -> list[str]:
    """``print`` et ``open``/lectures hors de leur couche, ``except Exception`` partout."""
    fautes = []
    for nom, fichier in modules.items():
        for noeud in ast.walk(ast.parse(fichier.read_text(encoding="utf-8"))):
            if isinstance(noeud, ast.ExceptHandler) and _attrape_tout(noeud):
                fautes.append(f"{nom}:{noeud.lineno} attrape toutes les exceptions")
            if isinstance(noeud, ast.Call) and isinstance(noeud.func, ast.Name):
                if noeud.func.id == "print" and couche_de(nom) != "application":
                    fautes.append(f"{nom}:{noeud.lineno} appelle print")
                if noeud.func.id == "open" and couche_de(nom) == "accessibilite":
                    fautes.append(f"{nom}:{noeud.lineno} ouvre un fichier")
    return fautes


def _attrape_tout(noeud: ast.ExceptHandler) -> bool:
    types = noeud.type.elts if isinstance(noeud.type, ast.Tuple) else [noeud.type]
    return any(
        t is None or (isinstance(t, ast.Name) and t.id in ("Exception", "BaseException"))
        for t in types
    )


def lectures_dans_les_calculs(modules: Mapping[str, Path]) -> list[str]:
    return [
        f"{nom}:{ligne} importe {importe}"
        for nom, fichier in modules.items()
        if couche_de(nom) == "accessibilite"
        for importe, ligne in imports_de(nom, fichier)
        for interdit in LECTURES_INTERDITES_AUX_CALCULS
        if est_sous(importe, interdit)
    ]


def cycles(modules: Mapping[str, Path]) -> list[str]:
    """Cycles d'imports entre modules (imports pour le seul typage exclus)."""
    voisins = {
        nom: {
            cible
            for importe in _imports_a_l_execution(nom, fichier)
            if (cible := _module_vise(importe, modules)) is not None and cible != nom
        }
        for nom, fichier in modules.items()
    }
    etat: dict[str, int] = {}
    trouves: list[str] = []

    def visiter(nom: str, chemin: list[str]) -> None:
        etat[nom] = 1
        for suivant in sorted(voisins[nom]):
            if etat.get(suivant) == 1:
                boucle = [*chemin[chemin.index(suivant) :], suivant]
                trouves.append(" → ".join(boucle))
            elif suivant not in etat:
                visiter(suivant, [*chemin, suivant])
        etat[nom] = 2

    for nom in sorted(voisins):
        if nom not in etat:
            visiter(nom, [nom])
    return trouves


def _module_vise(importe: str, modules: Mapping[str, Path]) -> str | None:
    """Module du projet visé par ``a.b.c`` : lui-même, ou ``a.b`` si ``c`` est un nom."""
    if importe in modules:
        return importe
    parent = importe.rpartition(".")[0]
    return parent if parent in modules else None


def _imports_a_l_execution(nom: str, fichier: Path) -> Iterator[str]:
    """Imports faits au chargement du module : ni ``TYPE_CHECKING``, ni dans une fonction."""
    paquet = nom.split(".") if fichier.name == "__init__.py" else nom.split(".")[:-1]
    for noeud in ast.parse(fichier.read_text(encoding="utf-8")).body:
        if isinstance(noeud, ast.Import):
            yield from (alias.name for alias in noeud.names)
        elif isinstance(noeud, ast.ImportFrom):
            base = noeud.module or ""
            if noeud.level:
                base = ".".join([*paquet[: len(paquet) - noeud.level + 1], *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in noeud.names)


def modules_trop_longs(modules: Mapping[str, Path]) -> list[str]:
    longueurs = {nom: len(f.read_text(encoding="utf-8").splitlines()) for nom, f in modules.items()}
    return [f"{nom} : {n} lignes" for nom, n in longueurs.items() if n > LIGNES_MAX]


REGLES = [
    imports_vers_la_droite,
    clotures_franchies,
    appels_interdits,
    lectures_dans_les_calculs,
    cycles,
    modules_trop_longs,
]


@pytest.mark.parametrize("regle", REGLES, ids=lambda r: r.__name__)
def test_le_projet_respecte_la_regle(regle):
    modules = modules_du_projet(RACINE)
    assert len(modules) > 10
    assert regle(modules) == []


@pytest.mark.parametrize(
    ("regle", "fichiers", "attendu"),
    [
        (
            imports_vers_la_droite,
            {"donnees_geo/a.py": "def f():\n    from accessibilite import graphe\n"},
            ["donnees_geo.a:2 importe accessibilite.graphe"],
        ),
        (
            imports_vers_la_droite,
            {"couches/a.py": "import accessibilite.graphe\nfrom scripts import cli\n"},
            ["couches.a:2 importe scripts.cli"],
        ),
        (
            clotures_franchies,
            {"donnees_geo/a.py": "import folium\nfrom urllib import request, parse\n"},
            ["donnees_geo.a:1 importe folium", "donnees_geo.a:2 importe urllib.request"],
        ),
        (clotures_franchies, {"donnees_geo/osm/b.py": "import osmium.filter\n"}, []),
        (
            appels_interdits,
            {"couches/a.py": "try:\n    print(1)\nexcept (OSError, Exception):\n    pass\n"},
            ["couches.a:3 attrape toutes les exceptions", "couches.a:2 appelle print"],
        ),
        (appels_interdits, {"scripts/a.py": "print(1)\n"}, []),
        (
            lectures_dans_les_calculs,
            {"accessibilite/a.py": "import tomllib\n", "donnees_geo/a.py": "import tomllib\n"},
            ["accessibilite.a:1 importe tomllib"],
        ),
        (
            cycles,
            {
                "donnees_geo/a.py": "from donnees_geo.b import f\n",
                "donnees_geo/b.py": "from . import a\n",
            },
            ["donnees_geo.a → donnees_geo.b → donnees_geo.a"],
        ),
        (
            cycles,
            {
                "donnees_geo/a.py": "from donnees_geo.b import f\n",
                "donnees_geo/b.py": "def f():\n    from donnees_geo import a\n",
            },
            [],
        ),
        (modules_trop_longs, {"couches/a.py": "x = 1\n" * 501}, ["couches.a : 501 lignes"]),
    ],
)
def test_la_regle_voit_la_faute(regle, fichiers, attendu, tmp_path):
    for chemin, texte in fichiers.items():
        fichier = tmp_path / chemin
        fichier.parent.mkdir(parents=True, exist_ok=True)
        fichier.write_text(texte, encoding="utf-8")
    assert sorted(regle(modules_du_projet(tmp_path))) == sorted(attendu)


# Note ce que l'import d'un module fait au monde : réseau, processus, fichiers écrits.
ESPION = """
import importlib, json, sys
faits = []

def noter(evenement, details):
    if evenement in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"):
        faits.append(f"{module} : {evenement} {details[:2]}")
    if evenement == "os.mkdir" and "__pycache__" not in str(details[0]):
        faits.append(f"{module} : crée {details[0]}")
    if evenement == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+"):
        chemin = str(details[0])
        # numba éprouve son dossier de cache ; un noyau compilé dès l'import (.nbi) est une faute.
        cache = "__pycache__" in chemin and not chemin.endswith((".nbi", ".nbc"))
        if not (cache or chemin in ("/dev/null", "nul")):
            faits.append(f"{module} : écrit {chemin}")

bibliotheques, projet = json.loads(sys.argv[1])
for nom in bibliotheques:  # ce que font les bibliothèques à leur import n'est pas notre affaire
    try:
        importlib.import_module(nom)
    except ModuleNotFoundError:  # un nom défini dans le module, pas un module
        importlib.import_module(nom.rpartition(".")[0])
sys.addaudithook(noter)
for module in projet:
    importlib.import_module(module)
sys.stdout.write(json.dumps(faits))
"""


def test_importer_ne_fait_rien(tmp_path):
    modules = modules_du_projet(RACINE)
    # Les pairs du banc tournent dans leur propre environnement ; les pages sont des scripts.
    a_importer = [
        nom
        for nom in modules
        if not est_sous(nom, "scripts.banc_pairs") and not est_sous(nom, "pages") and nom != "app"
    ]
    bibliotheques = sorted(
        {
            importe
            for nom in a_importer
            for importe in _imports_a_l_execution(nom, modules[nom])
            if _module_vise(importe, modules) is None
            and importe.split(".")[0] not in (*PAQUETS, "scripts", "__future__")
        }
    )
    courant = tmp_path / "courant"
    courant.mkdir()
    resultat = subprocess.run(
        [sys.executable, "-B", "-c", ESPION, json.dumps([bibliotheques, a_importer])],
        cwd=courant,
        capture_output=True,
        text=True,
        check=False,
        # Les bibliothèques ont le droit de remplir leur cache, dans un autre dossier personnel.
        env=os.environ | {"PYTHONPATH": str(RACINE), "HOME": str(tmp_path)},
    )
    assert resultat.returncode == 0, resultat.stderr
    assert json.loads(resultat.stdout) == []
    assert list(courant.iterdir()) == []

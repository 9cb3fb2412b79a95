"""Lecture de tables de texte : encodage, séparateur, noms de colonnes et leurs alias."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.archives import ouvrir_flux

Alias = Mapping[str, Sequence[str]]

_SEPARATEURS: Final = (";", ",", "\t", "|")
#: Octets examinés pour reconnaître l'encodage ; le début d'un fichier français porte des accents.
_ECHANTILLON: Final = 1 << 22
_SONDE: Final = 1 << 16

ALIAS_LONGITUDE: Final = ("lon", "longitude", "x_longitude", "lng", "long")
ALIAS_LATITUDE: Final = ("lat", "latitude", "y_latitude")
ALIAS_IDENTIFIANT: Final = ("id", "identifiant", "code", "fid", "nom")


@dataclass(frozen=True)
class FormatCsv:
    """Encodage et séparateur reconnus d'un fichier de texte."""

    encodage: str
    separateur: str


def normaliser_nom(nom: object) -> str:
    """Réduire un nom de colonne : sans casse, sans accents, sans espaces ni signes.

    Examples
    --------
    >>> normaliser_nom("Libellé_du site")
    'libelledusite'
    """
    decompose = unicodedata.normalize("NFKD", str(nom).lstrip("\ufeff"))
    return re.sub(r"[^a-z0-9]", "", decompose.casefold())


def resoudre_colonnes(
    presentes: Iterable[object], alias: Alias, objet: object, *, facultatives: Alias | None = None
) -> dict[str, str]:
    """Associer à chaque nom voulu la première colonne présente parmi ses alias.

    Parameters
    ----------
    presentes
        Colonnes du fichier.
    alias, facultatives
        Nom voulu → alias, du plus au moins souhaité ; l'absence d'une facultative est admise.
    objet
        Fichier, pour le message.

    Returns
    -------
    dict
        Nom voulu → nom de la colonne dans le fichier.

    Raises
    ------
    ErreurDonnees
        Colonne obligatoire absente : tous les alias cherchés et les colonnes trouvées sont dits.
    """
    noms = [str(p) for p in presentes]
    par_nom: dict[str, str] = {}
    for nom in noms:
        par_nom.setdefault(normaliser_nom(nom), nom)
    trouvees: dict[str, str] = {}
    absentes: list[str] = []
    for voulu, possibles in {**alias, **(facultatives or {})}.items():
        colonne = next((par_nom[c] for p in possibles if (c := normaliser_nom(p)) in par_nom), None)
        if colonne is not None:
            trouvees[voulu] = colonne
        elif voulu in alias:
            absentes.append(f"{voulu} (noms cherchés : {', '.join(possibles)})")
    if absentes:
        raise ErreurDonnees(
            "Colonne absente.",
            objet=objet,
            attendu=" ; ".join(absentes),
            trouve=", ".join(noms[:40]) + (" …" if len(noms) > 40 else ""),
            conseil="renommez la colonne, ou vérifiez le séparateur et la ligne d'en-tête",
        )
    return trouvees


def detecter_format(debut: bytes, objet: object) -> FormatCsv:
    """Reconnaître l'encodage et le séparateur d'après le début d'un fichier.

    L'encodage est cherché dans l'ordre UTF-8 avec BOM, UTF-8, Windows-1252 ; le séparateur est le
    plus fréquent de ``; , tabulation |`` dans la ligne d'en-tête, hors guillemets.

    Raises
    ------
    ErreurDonnees
        Fichier vide ou binaire.
    """
    if debut.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodage = "utf-16"
    elif b"\0" in debut[:_SONDE]:
        raise ErreurDonnees(
            "Le fichier n'est pas un texte.",
            objet=objet,
            attendu="un CSV",
            conseil="exportez la table en CSV (UTF-8)",
        )
    elif debut.startswith(b"\xef\xbb\xbf"):
        encodage = "utf-8-sig"
    else:
        encodage = "utf-8" if _est_utf8(debut) else "cp1252"
    texte = debut[:_SONDE].decode(encodage, errors="replace")
    entete = next((ligne for ligne in texte.splitlines() if ligne.strip()), "")
    if not entete:
        raise ErreurDonnees("Fichier sans ligne d'en-tête.", objet=objet, attendu="un CSV")
    nue = re.sub(r'"[^"]*"', "", entete)
    return FormatCsv(encodage, max(_SEPARATEURS, key=nue.count))


def _est_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError as erreur:
        # Un caractère coupé par la fin de l'échantillon n'est pas une faute.
        return erreur.start >= len(octets) - 3 and len(octets) >= _ECHANTILLON
    return True


class FluxReprise(io.RawIOBase):
    """Flux binaire dont le début, déjà lu pour la reconnaissance, est rendu d'abord.

    Attributes
    ----------
    octets_lus
        Octets rendus jusqu'ici, pour dire l'avancement.
    """

    def __init__(self, debut: bytes, suite: IO[bytes]) -> None:
        super().__init__()
        self._debut = io.BytesIO(debut)
        self._suite = suite
        self.octets_lus = 0

    def readable(self) -> bool:
        """Vrai : le flux se lit."""
        return True

    def readinto(self, tampon: Any) -> int:
        """Remplir ``tampon`` et rendre le nombre d'octets lus."""
        octets = self._debut.read(len(tampon)) or self._suite.read(len(tampon))
        tampon[: len(octets)] = octets
        self.octets_lus += len(octets)
        return len(octets)


class FluxGuillemets(io.RawIOBase):
    r"""Flux binaire où un guillemet échappé ``\"`` devient le ``""`` des CSV ordinaires.

    Devant un séparateur ou une fin de ligne, ``\"`` ferme un champ terminé par une barre : il est
    laissé tel quel. (Cartofriches écrit ses CSV avec R, qui échappe ainsi.)
    """

    def __init__(self, flux: IO[bytes], separateur: str) -> None:
        super().__init__()
        self._echappe = re.compile(rb'\\"(?![\r\n' + re.escape(separateur.encode()) + rb"]|\Z)")
        self._flux = flux
        self._reste = b""
        self._pret = io.BytesIO()

    def readable(self) -> bool:
        """Vrai : le flux se lit."""
        return True

    def readinto(self, tampon: Any) -> int:
        """Remplir ``tampon`` et rendre le nombre d'octets lus."""
        octets = self._pret.read(len(tampon))
        while not octets:
            bloc = self._flux.read(1 << 20)
            a_traiter = self._reste + bloc
            if not a_traiter:
                return 0
            # Les trois derniers octets attendent la suite, qui décide de leur sens.
            coupe = len(a_traiter) if not bloc else max(0, len(a_traiter) - 3)
            while 0 < coupe < len(a_traiter) and a_traiter[coupe - 1] in b'\\"':
                coupe -= 1
            propre = self._echappe.sub(b'""', a_traiter[:coupe])
            self._reste = a_traiter[coupe:]
            self._pret = io.BytesIO(propre)
            octets = self._pret.read(len(tampon))
        tampon[: len(octets)] = octets
        return len(octets)


@contextmanager
def ouvrir_csv(
    chemin: Path,
    *,
    suffixes: Sequence[str] = (".csv", ".txt"),
    preferes: Sequence[str] = (),
    guillemets_echappes: bool = False,
) -> Iterator[tuple[io.BufferedReader, FormatCsv]]:
    """Ouvrir un CSV nu ou archivé et reconnaître son format, sans le charger."""
    with ouvrir_flux(chemin, suffixes, preferes) as flux:
        debut = flux.read(_ECHANTILLON)
        format_csv = detecter_format(debut, chemin)
        repris: Any = io.BufferedReader(FluxReprise(debut, flux), 1 << 20)
        if guillemets_echappes:
            repris = io.BufferedReader(FluxGuillemets(repris, format_csv.separateur), 1 << 20)
        yield repris, format_csv


def lire_blocs_csv(
    chemin: Path,
    *,
    suffixes: Sequence[str] = (".csv", ".txt"),
    preferes: Sequence[str] = (),
    colonnes: Sequence[str] | Callable[[str], bool] | None = None,
    lignes_par_bloc: int = 100_000,
    guillemets_echappes: bool = False,
) -> Iterator[pd.DataFrame]:
    r"""Lire un CSV par blocs, toutes valeurs en texte (une case vide donne ``""``).

    Parameters
    ----------
    chemin
        Fichier nu ou archivé.
    suffixes, preferes
        Membre cherché dans une archive.
    colonnes
        Noms exacts des colonnes à garder, ou fonction qui le décide ; ``None`` : toutes.
    lignes_par_bloc
        Lignes par bloc rendu.
    guillemets_echappes
        Admettre ``\"`` à la place de ``""`` (voir :class:`FluxGuillemets`).

    Raises
    ------
    ErreurDonnees
        Fichier illisible, ligne de largeur inattendue (numéro dit) ou encodage fautif.
    """
    options: dict[str, Any] = {
        "dtype": "str",
        "keep_default_na": False,
        "chunksize": lignes_par_bloc,
        "usecols": colonnes,
    }
    with ouvrir_csv(
        chemin, suffixes=suffixes, preferes=preferes, guillemets_echappes=guillemets_echappes
    ) as (flux, format_csv):
        try:
            yield from pd.read_csv(
                flux, sep=format_csv.separateur, encoding=format_csv.encodage, **options
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as erreur:
            raise ErreurDonnees(
                "Table illisible.",
                objet=chemin,
                trouve=str(erreur),
                conseil="vérifiez le séparateur et les guillemets de la ligne dite",
            ) from erreur
        except UnicodeDecodeError as erreur:
            raise ErreurDonnees(
                "Encodage incohérent dans le fichier.",
                objet=chemin,
                attendu=format_csv.encodage,
                trouve=f"octet {erreur.object[erreur.start]:#04x} illisible",
                conseil="réenregistrez le fichier en UTF-8",
            ) from erreur


def lire_csv(
    chemin: Path,
    alias: Alias,
    *,
    facultatives: Alias | None = None,
    suffixes: Sequence[str] = (".csv", ".txt"),
    preferes: Sequence[str] = (),
    garder_autres: bool = False,
) -> pd.DataFrame:
    """Lire un CSV entier, colonnes renommées d'après leurs alias, valeurs en texte.

    Parameters
    ----------
    chemin, suffixes, preferes
        Comme :func:`lire_blocs_csv`.
    alias, facultatives
        Comme :func:`resoudre_colonnes`.
    garder_autres
        Garder aussi les colonnes qui ne sont pas demandées, sous leur nom.

    Raises
    ------
    ErreurDonnees
        Comme :func:`lire_blocs_csv` et :func:`resoudre_colonnes`.
    """
    table = pd.concat(lire_blocs_csv(chemin, suffixes=suffixes, preferes=preferes))
    trouvees = resoudre_colonnes(table.columns, alias, chemin, facultatives=facultatives)
    if not garder_autres:
        table = table[list(dict.fromkeys(trouvees.values()))]
    return pd.DataFrame(
        {
            **{nom: table[colonne].str.strip() for nom, colonne in trouvees.items()},
            **{
                str(c): table[c]
                for c in table.columns
                if c not in trouvees.values() and str(c) not in trouvees
            },
        }
    ).reset_index(drop=True)


def lire_nombres(valeurs: pd.Series[Any], quoi: str, objet: object) -> pd.Series[float]:
    """Convertir des textes en nombres ; une case vide donne NaN, la virgule décimale est admise.

    Raises
    ------
    ErreurDonnees
        Valeur illisible : les premières lignes fautives sont dites (la ligne 2 suit l'en-tête).
    """
    if pd.api.types.is_numeric_dtype(valeurs):
        return valeurs.astype("float64")
    textes = valeurs.fillna("").astype("str").str.strip()
    propres = textes.str.replace(",", ".", regex=False)
    propres = propres.str.replace("[\u202f\u00a0 ]", "", regex=True)
    nombres = pd.to_numeric(propres.where(propres != "", None), errors="coerce").astype("float64")
    fautives = nombres.isna() & (propres != "")
    if fautives.any():
        rangs = np.flatnonzero(fautives.to_numpy())[:5]
        raise ErreurDonnees(
            f"Nombre illisible dans la colonne {quoi}.",
            objet=objet,
            attendu="un nombre",
            trouve=", ".join(f"« {textes.iloc[r]} » ligne {r + 2}" for r in rangs),
            conseil="corrigez ces valeurs ou laissez la case vide",
        )
    return nombres


def lire_points_csv(chemin: Path | str) -> pd.DataFrame:
    """Lire des points ``id,lon,lat`` en degrés WGS 84 (commande ``temps``).

    Returns
    -------
    DataFrame
        ``id`` (texte), ``lon``, ``lat`` (float64, degrés), index 0…n-1, ordre du fichier.

    Raises
    ------
    ErreurDonnees
        Colonne absente (alias dits), coordonnée vide, illisible ou hors du monde, identifiant
        répété, fichier sans point.
    """
    chemin = Path(chemin)
    alias = {"id": ALIAS_IDENTIFIANT, "lon": ALIAS_LONGITUDE, "lat": ALIAS_LATITUDE}
    table = lire_csv(chemin, alias)
    if table.empty:
        raise ErreurDonnees("Aucun point dans le fichier.", objet=chemin)
    for nom, borne in (("lon", 180.0), ("lat", 90.0)):
        valeurs = lire_nombres(table[nom], nom, chemin)
        fautives = ~(valeurs.abs() <= borne)
        if fautives.any():
            raise ErreurDonnees(
                f"Coordonnée {nom} absente ou hors du monde.",
                objet=chemin,
                attendu=f"des degrés entre -{borne:g} et {borne:g}",
                trouve="id " + ", ".join(table.loc[fautives, "id"].head(5)),
                conseil="donnez des longitudes et latitudes WGS 84 (degrés décimaux)",
            )
        table[nom] = valeurs
    repetes = table.loc[table["id"].duplicated(), "id"].unique()
    if len(repetes):
        raise ErreurDonnees(
            "Identifiant de point répété.", objet=chemin, trouve=", ".join(repetes[:5])
        )
    return table

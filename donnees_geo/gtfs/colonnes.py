"""Lecture des tables CSV d'un flux GTFS en colonnes de texte codées.

Chaque colonne est gardée sous la forme « codes + valeurs distinctes » : les conversions (heures,
dates, nombres) ne se font qu'une fois par valeur distincte, ce qui lit un flux national en moins
d'une seconde sans boucle par ligne.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs

_HEURE: Final = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)")
_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
#: Valeur d'une heure non donnée dans un tableau d'entiers.
HEURE_ABSENTE: Final = -1
#: Au-delà de trois jours de service, une heure est tenue pour une faute de frappe.
HEURE_MAX_S: Final = 3 * 86_400


@dataclass(frozen=True)
class Colonne:
    """Colonne de texte codée.

    Attributes
    ----------
    codes
        int32[n], indice dans ``valeurs``.
    valeurs
        object[v], textes distincts, sans blancs autour ; ``""`` pour une case vide.
    """

    codes: NDArray[np.int32]
    valeurs: NDArray[np.object_]

    def textes(self) -> NDArray[np.object_]:
        """Valeurs ligne à ligne, object[n]."""
        return self.valeurs[self.codes]

    def vides(self) -> NDArray[np.bool_]:
        """Masque des cases vides, bool[n]."""
        masque = np.fromiter((v == "" for v in self.valeurs), dtype=bool, count=self.valeurs.size)
        return masque[self.codes]

    def filtrer(self, garde: NDArray[np.bool_] | NDArray[np.intp]) -> Colonne:
        """Garder ou réordonner les lignes (masque ou indices)."""
        return Colonne(self.codes[garde], self.valeurs)


@dataclass(frozen=True)
class TableGtfs:
    """Table lue d'un flux : colonnes codées et de quoi retrouver une ligne du fichier.

    Attributes
    ----------
    archive
        Flux d'origine.
    nom
        Nom du fichier (``stop_times.txt``).
    taille
        Nombre de lignes.
    colonnes
        Colonnes présentes, parmi celles demandées.
    """

    archive: ArchiveGtfs
    nom: str
    taille: int
    colonnes: dict[str, Colonne]

    def colonne(self, nom: str) -> Colonne:
        """Colonne ``nom``, vide partout si le fichier ne l'a pas."""
        if nom in self.colonnes:
            return self.colonnes[nom]
        return Colonne(np.zeros(self.taille, np.int32), np.array([""], dtype=object))

    def textes(self, nom: str) -> NDArray[np.object_]:
        """Valeurs texte de la colonne ``nom``, object[n]."""
        return self.colonne(nom).textes()

    def nombres(self, nom: str, defaut: float) -> NDArray[np.float64]:
        """Valeurs numériques de la colonne ``nom``, float64[n].

        Les cases vides valent ``defaut``.

        Raises
        ------
        ErreurDonnees
            Valeur qui n'est pas un nombre (fichier et ligne donnés).
        """
        return self._convertir(nom, defaut, _nombre, "un nombre")

    def entiers(self, nom: str, defaut: int) -> NDArray[np.int64]:
        """Valeurs entières de la colonne ``nom``, int64[n] (cases vides : ``defaut``)."""
        return self._convertir(nom, defaut, _entier, "un nombre entier").astype(np.int64)

    def heures(self, nom: str) -> NDArray[np.int32]:
        """Heures en secondes après minuit du jour de service, int32[n], absente = -1.

        Raises
        ------
        ErreurDonnees
            Heure illisible ou négative (fichier et ligne donnés).
        """
        attendu = "une heure H:MM:SS ou HH:MM:SS, au plus 72:00:00"
        return self._convertir(nom, HEURE_ABSENTE, _heure, attendu).astype(np.int32)

    def dates(self, nom: str) -> NDArray[np.int64]:
        """Dates en jours depuis le 1er janvier de l'an 1 (``date.toordinal``), 0 = absente."""
        attendu = "une date AAAAMMJJ"
        return self._convertir(nom, 0, _date, attendu).astype(np.int64)

    def _convertir(
        self, nom: str, defaut: float, conversion: Callable[[str], float | None], attendu: str
    ) -> NDArray[np.float64]:
        colonne = self.colonne(nom)
        resultat = np.empty(colonne.valeurs.size, np.float64)
        fautifs = []
        for i, texte in enumerate(colonne.valeurs):
            valeur = defaut if texte == "" else conversion(texte)
            if valeur is None:
                fautifs.append(i)
                valeur = np.nan
            resultat[i] = valeur
        if fautifs:
            # Une valeur distincte peut ne servir à aucune ligne gardée : seules comptent les lues.
            rangs = np.flatnonzero(np.isin(colonne.codes, fautifs))[:5]
            if rangs.size:
                raise self._valeur_illisible(nom, colonne, rangs, attendu)
        return resultat[colonne.codes]

    def _valeur_illisible(
        self, nom: str, colonne: Colonne, rangs: NDArray[np.intp], attendu: str
    ) -> ErreurDonnees:
        lignes = numeros_de_lignes(self.archive.lire(self.nom), [int(r) for r in rangs])
        trouves = "; ".join(
            f"ligne {ligne} : « {colonne.valeurs[colonne.codes[r]]} »"
            for ligne, r in zip(lignes, rangs, strict=True)
        )
        return ErreurDonnees(
            f"Le fichier {self.nom} a une valeur illisible dans la colonne {nom}.",
            objet=f"{self.archive.chemin} : {self.nom}",
            attendu=attendu,
            trouve=trouves,
            conseil="Corriger ces lignes ou demander un flux valide au producteur.",
        )


def lire_table(
    archive: ArchiveGtfs,
    nom: str,
    colonnes: Sequence[str],
    obligatoires: Sequence[str],
    constats: list[Constat],
) -> TableGtfs:
    """Lire les colonnes utiles d'un fichier du flux.

    Parameters
    ----------
    archive
        Flux ouvert.
    nom
        Fichier à lire.
    colonnes
        Colonnes utiles ; celles que le fichier n'a pas manquent simplement au résultat.
    obligatoires
        Colonnes sans lesquelles le fichier est inutilisable.
    constats
        Liste complétée des constats de lecture (encodage, lignes irrégulières).

    Raises
    ------
    ErreurDonnees
        Fichier ou colonne obligatoire absent, fichier illisible.
    """
    octets = _en_utf8(archive.lire(nom), f"{archive.chemin.name} : {nom}", constats)
    entetes, fin_entete = _lire_entetes(octets)
    manquantes = [c for c in obligatoires if c not in entetes]
    if manquantes:
        raise ErreurDonnees(
            f"Il manque une colonne obligatoire au fichier {nom}.",
            objet=f"{archive.chemin} : {nom}",
            attendu=", ".join(manquantes),
            trouve=", ".join(entetes) or "fichier vide",
            conseil="Demander un flux valide au producteur.",
        )
    utiles = [c for c in colonnes if c in entetes]
    corps = octets[fin_entete:]
    if not corps.strip():
        vide = Colonne(np.zeros(0, np.int32), np.array([""], dtype=object))
        return TableGtfs(archive, nom, 0, dict.fromkeys(utiles, vide))
    table = _analyser(corps, entetes, utiles)
    if table is None:
        corps, irregulieres = _regulariser(corps, entetes, archive, nom)
        constats.append(
            Constat(
                Gravite.MINEUR,
                f"{archive.chemin.name} : {nom}",
                f"{irregulieres} ligne(s) n'ont pas le nombre de colonnes de l'en-tête ; "
                "les cases manquantes sont lues comme vides.",
            )
        )
        table = _analyser(corps, entetes, utiles)
        if table is None:
            raise ErreurDonnees(
                f"Le fichier {nom} n'est pas un CSV lisible.",
                objet=f"{archive.chemin} : {nom}",
                conseil="Ouvrir le fichier et vérifier guillemets et séparateurs.",
            )
    return TableGtfs(archive, nom, table.num_rows, {c: _colonne(table, c) for c in utiles})


def numeros_de_lignes(octets: bytes, rangs: Sequence[int]) -> list[int]:
    """Retrouver les numéros de ligne (à partir de 1) de rangs de données d'un fichier CSV.

    Parameters
    ----------
    octets
        Contenu brut du fichier, en-tête comprise.
    rangs
        Rangs croissants des enregistrements (0 = premier après l'en-tête).
    """
    lecteur = csv.reader(io.StringIO(octets.decode("utf-8-sig", errors="replace")))
    cherches = set(rangs)
    numeros: list[int] = []
    rang = -1
    for ligne in lecteur:
        if not ligne:
            continue
        if rang in cherches:
            numeros.append(lecteur.line_num)
            if len(numeros) == len(cherches):
                break
        rang += 1
    return numeros


def _en_utf8(octets: bytes, objet: str, constats: list[Constat]) -> bytes:
    """Ôter la marque d'ordre et traduire de l'encodage Windows si le texte n'est pas de l'UTF-8."""
    octets = octets.removeprefix(b"\xef\xbb\xbf")
    if octets.isascii():
        return octets
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        constats.append(
            Constat(Gravite.MINEUR, objet, "Le texte n'est pas en UTF-8 ; lu comme Windows-1252.")
        )
        return octets.decode("cp1252", errors="replace").encode("utf-8")
    return octets


def _lire_entetes(octets: bytes) -> tuple[list[str], int]:
    """Noms de colonnes (minuscules, sans blancs ni guillemets) et fin de la ligne d'en-tête."""
    debut = 0
    while debut < len(octets):
        fin = octets.find(b"\n", debut)
        fin = len(octets) if fin < 0 else fin + 1
        texte = octets[debut:fin].decode("utf-8").strip()
        if texte:
            noms = next(csv.reader([texte], skipinitialspace=True))
            return [n.strip().strip('"').strip().lower() for n in noms], fin
        debut = fin
    return [], len(octets)


def _analyser(corps: bytes, entetes: list[str], utiles: list[str]) -> pa.Table | None:
    """Analyser le CSV ; ``None`` s'il a des lignes irrégulières."""
    texte = pa.dictionary(pa.int32(), pa.string())
    # Un nom d'en-tête répété ou vide n'est pas gênant tant qu'il n'est pas demandé.
    noms = [n if n in utiles and entetes.index(n) == i else f"_{i}" for i, n in enumerate(entetes)]
    try:
        return pacsv.read_csv(
            pa.BufferReader(corps),
            read_options=pacsv.ReadOptions(column_names=noms, block_size=1 << 22),
            parse_options=pacsv.ParseOptions(newlines_in_values=b'"' in corps),
            convert_options=pacsv.ConvertOptions(
                include_columns=utiles,
                column_types=dict.fromkeys(utiles, texte),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None


def _regulariser(
    corps: bytes, entetes: list[str], archive: ArchiveGtfs, nom: str
) -> tuple[bytes, int]:
    """Compléter les lignes trop courtes ; refuser celles qui débordent d'une valeur."""
    sortie = io.StringIO()
    ecrivain = csv.writer(sortie, lineterminator="\n")
    lecteur = csv.reader(io.StringIO(corps.decode("utf-8"), newline=""), skipinitialspace=True)
    irregulieres = 0
    largeur = len(entetes)
    for ligne in lecteur:
        if not ligne or not any(c.strip() for c in ligne):
            continue
        if len(ligne) != largeur:
            irregulieres += 1
            if any(c.strip() for c in ligne[largeur:]):
                raise ErreurDonnees(
                    f"Une ligne du fichier {nom} a plus de valeurs que de colonnes.",
                    objet=f"{archive.chemin} : {nom}, ligne {lecteur.line_num + 1}",
                    attendu=f"{largeur} valeurs",
                    trouve=f"{len(ligne)} valeurs",
                    conseil="Mettre entre guillemets les textes qui contiennent une virgule.",
                )
            ligne = (ligne + [""] * largeur)[:largeur]
        ecrivain.writerow(ligne)
    return sortie.getvalue().encode("utf-8"), irregulieres


def _colonne(table: pa.Table, nom: str) -> Colonne:
    """Passer d'une colonne Arrow à une colonne codée, blancs ôtés."""
    tableau = table.column(nom).unify_dictionaries().combine_chunks()
    if isinstance(tableau, pa.ChunkedArray):
        tableau = tableau.chunk(0)
    bruts = tableau.dictionary.to_pylist()
    codes = tableau.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    nets = [b.strip() for b in bruts]
    rang: dict[str, int] = {}
    nouveaux = np.array([rang.setdefault(n, len(rang)) for n in nets], dtype=np.int32)
    valeurs = np.empty(len(rang), dtype=object)
    valeurs[:] = list(rang)
    return Colonne(nouveaux[codes], valeurs)


def _nombre(texte: str) -> float | None:
    try:
        valeur = float(texte)
    except ValueError:
        return None
    return valeur if np.isfinite(valeur) else None


def _entier(texte: str) -> float | None:
    valeur = _nombre(texte)
    return valeur if valeur is not None and valeur == int(valeur) else None


def _heure(texte: str) -> float | None:
    trouve = _HEURE.fullmatch(texte)
    if trouve is None:
        return None
    heures, minutes, secondes = (int(g) for g in trouve.groups())
    total = heures * 3600 + minutes * 60 + secondes
    return total if total <= HEURE_MAX_S else None


def _date(texte: str) -> float | None:
    trouve = _DATE.fullmatch(texte)
    if trouve is None:
        return None
    try:
        return date(*(int(g) for g in trouve.groups())).toordinal()
    except ValueError:
        return None

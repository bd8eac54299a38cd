"""Words that headers are made of, and the concepts that each stands for."""

from typing import Final

# Concept: the words for it, in any language. A word may stand for several concepts.
_WORDS: Final[dict[str, str]] = {
    "number": "number num no nr nbr nummer numero numer numeros nro",
    "code": "code codes cod codigo codice kod kode kodierung",
    "id": "id ids ident identifier identification kennung identificador identifiant",
    "name": "name names nom nombre naam nazwa",
    "item": "item itm article articles artikel art articulo articolo ware towar",
    "product": "product products prod produkt produkte produit produits producto productos "
    "prodotto merchandise",
    "description": "description descriptions desc bez beschrijving descr descrip dscr "
    "bezeichnung beschreibung "
    "designation libelle descripcion descrizione omschrijving opis",
    "title": "title titel titre titulo titolo tytul",
    "brand": "brand brands marke marken marque marques marca marcas marchio merk marka",
    "manufacturer": "manufacturer manufacturers manufacture mfr mfg manuf hersteller fabricant "
    "fabricante fabbricante produttore producent fabrikant maker make",
    "vendor": "vendor vendors vndr lieferant fournisseur proveedor fornitore leverancier dostawca "
    "supplier",
    "model": "model models mdl modell modele modelo modello",
    "mpn": "mpn",
    "part": "part parts teil teile piezas",
    "style": "style styles stil",
    "category": "category categories cat catg categ kategorie kategorien categorie categoria "
    "categorias kategoria warengruppe produktgruppe produktkategorie warenkategorie "
    "sortiment univers produkttyp artikelgruppe hauptkategorie",
    "subcategory": "subcategory subcategories subcat subcategorie subcategoria unterkategorie "
    "untergruppe sottocategoria podkategoria subclass unterwarengruppe subfamilia subfamily "
    "sousfamille sottofamiglia subgroup subgruppe subtype subdept",
    "sub": "sub sous sotto sotte unter",
    "class": "class classe clase klasse",
    "department": "department departments dept dep departement departamento reparto abteilung "
    "seccion sezione dzial "
    "rayon afdeling dzial",
    "division": "division divisions div sparte",
    "family": "family famille familia famiglia familie segment commodity gl",
    "group": "group groups gruppe groupe grupo gruppo groep grupa assortment",
    "type": "type types typ tipo art. sorte",
    "condition": "condition conditions cond cndtn conditon zustand zustande etat condicion "
    "condizione condizioni conditie toestand staat stan stato estado warenzustand artikelzustand "
    "produktzustand",
    "grade": "grade grades grading grado qualitatsstufe klassifizierung",
    "quality": "quality qualitat qualite calidad qualita kwaliteit jakosc",
    "status": "status",
    "disposition": "disposition disposal",
    "source": "source sources sourcing warenherkunft bezugsquelle provenance procedencia",
    "return": "return returns retoure retouren retour retours devolucion devoluciones resi",
    "inventory": "inventory stock bestand existencias",
    "upc": "upc upca upce",
    "ean": "ean eans jan",
    "gtin": "gtin gtins",
    "isbn": "isbn",
    "barcode": "barcode barcodes strichcode streepjescode codebarre codebarres barkod "
    "kodkreskowy gencode gencod",
    "bars": "barre barres barras bar kreskowy barra",
    "lpn": "lpn lpns",
    "license": "license licence licenseplate licenceplate",
    "plate": "plate plates",
    "serial": "serial serials serie serienr seriennr sn seryjny seriale",
    "imei": "imei",
    "asin": "asin asins",
    "fnsku": "fnsku",
    "sku": "sku skus lieferantensku",
    "tcin": "tcin dpci omsid wmt wpid",
    "reference": "reference symbol indeks ref referenz referencia riferimento referentie",
    "quantity": "anz nb nbre quantity quantities quanity quantitiy qty qnty quantite qte menge "
    "mengen "
    "anzahl "
    "cantidad cant "
    "quantita qta aantal ilosc quant count cnt",
    "units": "units pcs pc pieces piece stuck stuk stuks stk stck unidades uds pezzi szt sztuk "
    "ea each unites",
    "unit": "unit unitaire unitario unitaria einzel einheit unite unidad unita per pro je "
    "jednostkowa jednostka individual single eenheid",
    "retail": "retail retails rtl regular regulare regularna ticket magasin amazonprice rynkowa "
    "rynkowy "
    "sklepowa consumentenprijs marktwert "
    "einzelhandel "
    "ladenpreis dettaglio winkelwaarde winkelprijs "
    "handelswert verkaufspreis vk vkpreis venta vente publico pubblico public vendita "
    "verkaufswert verkoopprijs detaliczna",
    "msrp": "msrp rrp srp rsp uvp pvp pvr pvc ppc listprice listenpreis neupreis uvpe mrp "
    "conseille "
    "recomendado consigliato adviesprijs katalogowa asp",
    "list": "list liste lista",
    "sell": "sell selling",
    "price": "pv price prices preis preise prix precio precios prezzo prijs cena tarif",
    "value": "value values val valeur valor valore wert waarde warenwert worth",
    "amount": "amount amt betrag bedrag",
    "extended": "extended ext extd extnd extension",
    "total": "total totals tot ttl gesamt summe somme totale complessivo complessiva totaal suma "
    "lacznie laczna laczny razem totales "
    "aggregate",
    "cost": "cost costs kosten cout costo coste koszt einkauf zakup zakupu hurtowa hurtowy "
    "ingrosso mayorista grossiste einkaufspreis ek ekpreis wholesale "
    "achat compra acquisto inkoop ankauf landed fob",
    "sale": "sale sales sold angebot offer offerta oferta bid bids reserve buy paid "
    "liquidation discounted discount rabatt remise descuento sconto recovery margin "
    "profit amazonfee fee fees shipping freight ask asking floor weighted your roi comps",
    "tax": "tax taxes vat mwst tva iva btw ust",
    "net": "net netto ht excl exkl excluding ex hors",
    "included": "inc incl inkl including inclusive included ttc brutto",
    "percent": "percent pct prozent",
    "pallet": "gaylord gaylords pallet pallets palette paletten palet palets pallett pallette "
    "pallettes plt plts "
    "bancale bancali paleta palety pale pales skid skids pal",
    "containers": "cases cartons kartons cajas kisten",
    "container": "container box boxes tote carton karton colis caja kiste case bin "
    "doos scatola karton",
    "label": "label labels",
    "lot": "lot lote lots partie posten auction",
    "load": "load truck truckload trailer manifest order po rma shipment sendung bestellung",
    "weight": "weight wt wgt gewicht poids peso waga gewichte",
    "package": "package pkg packaging verpackung emballage embalaje paket versand",
    "gross": "gross brut bruto bruttogewicht",
    "uom": "uom um unitofmeasure masseinheit",
    "pounds": "lb lbs pound pounds",
    "kilograms": "kg kgs kilo kilogram kilograms kilogramm",
    "grams": "g gr gram grams gramm grammes",
    "ounces": "oz ounce ounces",
    "currency": "currency curr ccy wahrung wahrungscode devise moneda valuta waluta",
    "iso": "iso",
    "original": "original orig originally ursprunglich",
    "estimated": "estimated est approx approximate avg average geschatzt estimado estime "
    "geschatzter",
    "country": "country countries coo origin origine land pais ursprung ursprungsland kraj "
    "pays herkunftsland made",
    "color": "color colour farbe couleur",
    "size": "size sizes grosse taille talla dimension dimensions length width height depth cube "
    "volume abmessungen masse lange breite hohe",
    "date": "date datum fecha data created received eingang expiry expiration mhd",
    "link": "url link image images photo photos picture bild foto fotos href hyperlink",
    "location": "location lagerort warehouse aisle shelf store site zip plz address lager",
    "reason": "reason grund motif motivo",
    "line": "line row position pos zeile ligne linea lfd seq sequence index rank",
    "note": "note notes comment comments remark remarks bemerkung kommentar notiz notas remarque "
    "remarques opmerking opmerkingen uwagi observaciones osservazioni bemerkungen commentaire "
    "commentaires comentarios commenti anmerkung anmerkungen hinweis",
    "pack": "pack packs packung inner master",
    "long": "long full detailed kurz lang short",
    "seller": "seller verkaufer vendeur",
    "level": "level lvl ebene",
    "first": "l1 lvl1 level1 1 primary main haupt principal",
    "second": "l2 lvl2 level2 2 secondary",
    "third": "l3 lvl3 level3 3",
    "usd": "usd sign eur gbp cad aud chf mxn jpy nzd pln us dollar dollars euro euros pfund",
}

# German writes two words as one, and some sources leave the space away.
_COMPOUNDS: Final[dict[str, tuple[str, ...]]] = {
    "artikelnummer": ("item", "number"),
    "artikelnr": ("item", "number"),
    "artnr": ("item", "number"),
    "itemnumber": ("item", "number"),
    "itemno": ("item", "number"),
    "itemid": ("item", "id"),
    "produktnummer": ("product", "number"),
    "produktcode": ("product", "code"),
    "productcode": ("product", "code"),
    "productid": ("product", "id"),
    "bestellnummer": ("item", "number"),
    "materialnummer": ("item", "number"),
    "artikelbezeichnung": ("item", "description"),
    "artikelbeschreibung": ("item", "description"),
    "produktbezeichnung": ("product", "description"),
    "produktbeschreibung": ("product", "description"),
    "warenbezeichnung": ("item", "description"),
    "itemdescription": ("item", "description"),
    "itemdesc": ("item", "description"),
    "productdescription": ("product", "description"),
    "itemname": ("item", "name"),
    "itemtitle": ("item", "title"),
    "productname": ("product", "name"),
    "producttitle": ("product", "title"),
    "artikelname": ("item", "name"),
    "produktname": ("product", "name"),
    "produkttitel": ("product", "title"),
    "markenname": ("brand", "name"),
    "brandname": ("brand", "name"),
    "modellnummer": ("model", "number"),
    "modelnumber": ("model", "number"),
    "herstellernummer": ("manufacturer", "number"),
    "teilenummer": ("part", "number"),
    "partnumber": ("part", "number"),
    "seriennummer": ("serial", "number"),
    "serialnumber": ("serial", "number"),
    "serienummer": ("serial", "number"),
    "palettennummer": ("pallet", "number"),
    "palettennr": ("pallet", "number"),
    "palettenid": ("pallet", "id"),
    "palletid": ("pallet", "id"),
    "palletnumber": ("pallet", "number"),
    "palletnummer": ("pallet", "number"),
    "lotid": ("lot", "id"),
    "wartosc": ("total", "value"),
    "importe": ("total", "amount"),
    "importo": ("total", "amount"),
    "montant": ("total", "amount"),
    "einzelpreis": ("unit", "price"),
    "stuckpreis": ("unit", "price"),
    "unitprice": ("unit", "price"),
    "unitretail": ("unit", "retail"),
    "einzelwert": ("unit", "value"),
    "stuckwert": ("unit", "value"),
    "gesamtpreis": ("total", "price"),
    "gesamtwert": ("total", "value"),
    "gesamtsumme": ("total", "amount"),
    "gesamtuvp": ("total", "msrp"),
    "gesamtbetrag": ("total", "amount"),
    "extretail": ("extended", "retail"),
    "totalretail": ("total", "retail"),
    "extendedretail": ("extended", "retail"),
    "stuckzahl": ("quantity",),
    "gesamtmenge": ("total", "quantity"),
    "bestandsmenge": ("quantity",),
    "stuckgewicht": ("unit", "weight"),
    "einzelgewicht": ("unit", "weight"),
    "gesamtgewicht": ("total", "weight"),
    "artikelgewicht": ("item", "weight"),
    "bruttogewicht": ("gross", "weight"),
    "nettogewicht": ("weight",),
    "versandgewicht": ("package", "weight"),
    "gewichtseinheit": ("weight", "uom"),
    "wahrungscode": ("currency", "code"),
    "currencycode": ("currency", "code"),
    "conditioncode": ("condition", "code"),
    "eannummer": ("ean", "number"),
    "eancode": ("ean", "code"),
    "upccode": ("upc", "code"),
    "subdepartment": ("sub", "department"),
    "souscategorie": ("subcategory",),
}


def _turned() -> dict[str, tuple[str, ...]]:
    meanings = {word: (concept,) for concept, words in _WORDS.items() for word in words.split()}
    return meanings | _COMPOUNDS | {"upcean": ("upc", "ean")}


CONCEPTS: Final = _turned()

# Words that change nothing.
_SAYS_NOTHING: Final = (
    "of the a an de la le les l du des del d di da y et e und and or der die das den von van het "
    "do in en for pour por para zu au aux al il lo z w"
)
DROPPED: Final = frozenset(_SAYS_NOTHING.split())

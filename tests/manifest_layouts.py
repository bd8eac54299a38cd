"""Manifests in the layouts of many sources, of made-up goods: headers, and what each column is."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from auction.catalog.goods import gtin_check_digit

# Header: kind of values = the field that it is, if it is one.
LAYOUTS: Final[dict[str, str]] = {
    "a template of a marketplace": "Category:cat=category | Item Description:desc=description | "
    "Qty:qty=quantity | Retail Per Unit:unit=unit_msrp | Total Retail:ext=extended_msrp | "
    "Condition:cond=condition",
    "an online shop in Europe": "CONDITION:cond=condition | Pallet ID:pallet=pallet | "
    "CATEGORY:cat=category | SUBCATEGORY:sub=subcategory | ASIN:asin=item_number | "
    "Item Desc:desc=description | QTY:qty=quantity | ItemPkgWeight:weight=weight | "
    "ItemPkgWeightUOM:wunit=weight_unit | CURRENCY CODE:cur=currency | "
    "TOTAL RETAIL:ext=extended_msrp | UNIT RETAIL:unit=unit_msrp",
    "other names": "MSRP:unit=unit_msrp | Orig. Retail:cost | Quantity:qty=quantity | "
    "EAN:ean=gtin | LPN:lpn=lpn | Serial #:serial=serial | Vendor:brand=brand | "
    "Model:model=model | Grade:grade=condition | Product:desc=description",
    "a department store": "Lot ID:lot | Pallet #:pallet=pallet | Vendor Name:brand=brand | "
    "Dept:cat=category | UPC:upc=gtin | Item Description:desc=description | "
    "Original Qty:qty=quantity | Orig. Retail:unit=unit_msrp | Total Orig. Retail:ext=extended_msrp"
    " | Color:color | Size:size | Vendor Style:model=model",
    "returns of an online shop": "LPN:lpn=lpn | ASIN:asin=item_number | UPC:upc=gtin | "
    "EAN:upc | Item Title:desc=description | Subcategory:sub=subcategory | GL Description:cat="
    "category | Quantity:qty=quantity | Unit Retail:unit=unit_msrp | Ext "
    "Retail:ext=extended_msrp | "
    "Condition:cond=condition | Unit Weight:weight_lb=weight | Image URL:url | FC:code",
    "pallets of a warehouse club": "Pallet Number:pallet=pallet | Item Number:sku=item_number | "
    "Description:desc=description | Quantity:qty=quantity | Sell Price:unit=unit_msrp | "
    "Extended Sell Price:ext=extended_msrp | Department Description:cat=category | "
    "Return Reason:reason",
    "a home improvement chain": "SKU #:sku=item_number | Internet #:code | MFG Brand Name:brand="
    "brand | MFG Model #:model=model | SKU Description:desc=description | Class:sub=subcategory | "
    "Dept Name:cat=category | UPC Code:upc=gtin | Units:qty=quantity | Unit Retail Price:unit="
    "unit_msrp | Total Retail Value:ext=extended_msrp | Disposition:source=source",
    "furniture by mail": "Lot #:lot | Item SKU:sku=item_number | Product Name:desc=description | "
    "Product Class:cat=category | Manufacturer:brand=brand | Manufacturer Part "
    "Number:model=model | "
    "Qty On Hand:qty=quantity | Wholesale Cost:cost | Est. Retail Value:unit=unit_msrp | "
    "Ship Weight (lbs):number=weight | Item Condition:cond=condition",
    "electronics": "Pallet LPN:pallet=pallet | SKU:sku=item_number | Brand:brand=brand | "
    "Model Number:model=model | Item Description:desc=description | Serial Number:serial=serial | "
    "UPC:upc_float=gtin | Qty:qty=quantity | MSRP:unit=unit_msrp | Extended "
    "MSRP:ext=extended_msrp | "
    "Product Grade:grade=condition | Subclass:sub=subcategory | Class Name:cat=category",
    "a wholesaler of loads": "#:line | Item:desc=description | Barcode:upc=gtin | Qty.:qty=quantity"
    " | Retail:unit=unit_msrp | Ext.:ext=extended_msrp | Type:cat=category | Wholesale:cost",
    "salvage of stores": "Load Number:lot | Truck Date:date | Pallet:pallet=pallet | "
    "UPC/EAN:upc=gtin | Item Desc.:desc=description | Division:cat=category | "
    "Units:qty=quantity | Unit MSRP:unit=unit_msrp | Total MSRP:ext=extended_msrp | "
    "Load Type:source=source",
    "British returns": "Auction Lot:lot | Product Title:desc=description | Barcode:ean=gtin | "
    "RRP:unit=unit_msrp | Total RRP:ext=extended_msrp | Units:qty=quantity | "
    "Stock Condition:cond=condition | Product Category:cat=category | VAT:percent",
    "German returns": "Palettennummer:pallet=pallet | EAN:ean=gtin | Artikelbezeichnung:desc="
    "description | Hersteller:brand=brand | Warengruppe:cat=category | Menge:qty=quantity | "
    "UVP:unit=unit_msrp | UVP gesamt:ext=extended_msrp | Zustand:zustand=condition | "
    "EK-Preis netto:cost | Gewicht (kg):number=weight",
    "a German wholesaler": "Pos.:line | Art.-Nr.:sku=item_number | Bezeichnung:desc=description | "
    "Marke:brand=brand | EAN-Code:ean=gtin | Stückzahl:qty=quantity | Einzelpreis UVP:unit="
    "unit_msrp | Gesamtpreis UVP:ext=extended_msrp | Qualität:zustand=condition | "
    "Seriennummer:serial=serial | Währung:cur=currency",
    "French clearance": "Référence:sku=item_number | Désignation:desc=description | "
    "Marque:brand=brand | Catégorie:cat=category | Sous-catégorie:sub=subcategory | "
    "Code EAN:ean=gtin | Quantité:qty=quantity | Prix public TTC:unit=unit_msrp | "
    "Valeur totale:ext=extended_msrp | État:etat=condition | N° de palette:pallet=pallet",
    "Spanish returns": "Código de barras:ean=gtin | Descripción del artículo:desc=description | "
    "Marca:brand=brand | Modelo:model=model | Familia:cat=category | Subfamilia:sub=subcategory | "
    "Cantidad:qty=quantity | PVP unitario:unit=unit_msrp | PVP total:ext=extended_msrp | "
    "Estado:estado=condition | Nº de palé:pallet=pallet",
    "Italian stock": "Codice articolo:sku=item_number | Descrizione:desc=description | "
    "Marchio:brand=brand | Quantità:qty=quantity | Prezzo di listino:unit=unit_msrp | "
    "Prezzo totale:ext=extended_msrp | Codice a barre:ean=gtin | Categoria:cat=category",
    "Dutch and Polish words": "Omschrijving:desc=description | Merk:brand=brand | Aantal:qty="
    "quantity | Adviesprijs:unit=unit_msrp | EAN:ean=gtin | Kategoria:cat=category",
    "mistyped headers": "Discription:desc=description | Quanity:qty=quantity | "
    "Catagory:cat=category | Condtion:cond=condition | Retial Price:unit=unit_msrp | UPC Nubmer:"
    "upc=gtin",
    "values say what headers do not": "Col1:desc=description | Col2:upc=gtin | Col3:qty=quantity | "
    "Col4:unit=unit_msrp | Col5:ext=extended_msrp | Col6:cond=condition | Col7:lpn=lpn | "
    "Description2:color",
    "retail says which by its values": "Item Name:desc=description | Pieces:qty=quantity | "
    "Retail:ext=extended_msrp | Price:unit=unit_msrp | Code:upc=gtin",
    "camel case": "itemNumber:sku=item_number | itemDescription:desc=description | "
    "unitRetail:unit=unit_msrp | extendedRetail:ext=extended_msrp | palletId:pallet=pallet | "
    "upcCode:upc=gtin | brandName:brand=brand | quantity:qty=quantity | "
    "conditionCode:cond=condition"
    " | licensePlateNumber:lpn=lpn | itemWeight:number=weight | "
    "weightUom:wunit=weight_unit",
    "columns of a data warehouse": "LOT_ID:lot | PALLET_ID:pallet=pallet | "
    "SKU_NBR:sku=item_number | "
    "SKU_DESC:desc=description | BRAND_NM:brand=brand | MODEL_NBR:model=model | SERIAL_NBR:serial="
    "serial | UPC_CD:upc=gtin | DEPT_DESC:cat=category | SUBCLASS_DESC:sub=subcategory | "
    "COND_CD:cond=condition | QTY:qty=quantity | ORIG_RTL_AMT:unit=unit_msrp | "
    "EXT_RTL_AMT:ext=extended_msrp",
    "a shop's loads": "LotID:lot | GL:code | GL Description:cat=category | "
    "SubcatDesc:sub=subcategory"
    " | ASIN:asin=item_number | UPC:upc=gtin | FCSku:code | LPN:lpn=lpn | Item Description:desc="
    "description | Condition:cond=condition | Currency Code:cur=currency | Unit "
    "Retail:unit=unit_msrp"
    " | Quantity:qty=quantity | Ext Retail:ext=extended_msrp | Pallet ID:pallet=pallet | "
    "PkgID:code",
    "costs beside retail": "Item #:upc=gtin | Item Description:desc=description | Original Qty:qty="
    "quantity | Original Cost:cost | Total Original Cost:cost | Original Retail:unit=unit_msrp | "
    "Total Original Retail:ext=extended_msrp | Vendor #:code | Color:color | Size:size | "
    "Client Cost:cost | Vendor Name:brand=brand | Division Name:cat=category | Image:url",
    "a broker's list": "Title:desc=description | Mfg:brand=brand | Model:model=model | "
    "Qty:qty=quantity | Retail Price:unit=unit_msrp | Total Retail:ext=extended_msrp | "
    "Product Code:sku=item_number | UPC:upc=gtin | Cosmetic Grade:grade=condition",
    "prices of an online shop": "ASIN:asin=item_number | UPC:upc=gtin | Item "
    "Name:desc=description | "
    "Units:qty=quantity | Price per unit:cost | Retail per unit:unit=unit_msrp | "
    "Extended retail:ext=extended_msrp | Sales rank:code",
    "sell prices": "Pallet:pallet=pallet | Item #:sku=item_number | Item Description:desc="
    "description | Qty:qty=quantity | Unit Sell:unit=unit_msrp | Ext Sell:ext=extended_msrp | "
    "Dept:cat=category",
    "German list prices": "Lager-Nr.:code | Produkttitel:desc=description | Stk.:qty=quantity | "
    "Listenpreis (EUR):unit=unit_msrp | Summe Listenpreis:ext=extended_msrp | GTIN:ean=gtin | "
    "Produktkategorie:cat=category | Artikelzustand:zustand=condition | Modellnummer:model=model",
    "French words": "Libellé produit:desc=description | Qté:qty=quantity | PVC "
    "TTC:unit=unit_msrp | "
    "PVC total:ext=extended_msrp | Gencod:ean=gtin | Rayon:cat=category | "
    "Fournisseur:brand=brand | "
    "Palette:pallet=pallet | Poids (kg):number=weight | Numéro de série:serial=serial",
    "Spanish words": "Artículo:desc=description | Uds.:qty=quantity | Precio venta "
    "recomendado:unit="
    "unit_msrp | Importe total:ext=extended_msrp | EAN13:ean=gtin | Fabricante:brand=brand | "
    "Referencia:sku=item_number | Categoría:cat=category | Número de serie:serial=serial",
    "units of several kinds": "Product Description:desc=description | Total Units:qty=quantity | "
    "Unit MSRP (USD):unit=unit_msrp | Total MSRP (USD):ext=extended_msrp | Case Pack:size | "
    "Country of Origin:color | Container #:pallet=pallet | HTS Code:code",
    "a list without quantities": "Lot:lot | Description:desc=description | "
    "Condition:cond=condition | Retail Value:unit=unit_msrp | UPC:upc=gtin",
    "prices and no retail": "Model #:model=model | Brand:brand=brand | Product "
    "Category:cat=category | Product Description:desc=description | Condition:cond=condition | "
    "Unit Price:unit=unit_msrp | Total Price:ext=extended_msrp | Quantity:qty=quantity",
    "only prices": "Asin:asin=item_number | Sku:sku | Fnsku:code | Title:desc=description | "
    "Qty:qty=quantity | Price:unit=unit_msrp | Total:ext=extended_msrp",
    "kinds of ids": "Product ID Type:color | Product ID:sku=item_number | Product "
    "Name:desc=description | Number of Items:qty=quantity | Retail ($):unit=unit_msrp | Ext "
    "($):ext=extended_msrp",
    "a price and its extension": "Bar Code:upc=gtin | Item:desc=description | Dept:cat=category "
    "| Qty:qty=quantity | Orig Price:unit=unit_msrp | Ext Price:ext=extended_msrp",
    "a German list": "Menge:qty=quantity | Artikel:desc=description | EAN:ean=gtin | VK "
    "brutto:unit=unit_msrp | Summe VK:ext=extended_msrp | Palette:pallet=pallet",
    "a French list": "Nom du produit:desc=description | Code barre:ean=gtin | Prix de "
    "vente:unit=unit_msrp | Nombre:qty=quantity | Total:ext=extended_msrp | Grade:grade=condition",
    "a Spanish list": "Nombre:desc=description | Marca:brand=brand | Cant.:qty=quantity | "
    "Precio:unit=unit_msrp | Precio Total:ext=extended_msrp | Estado:estado=condition",
    "an item file of a chain": "Item Nbr:sku=item_number | UPC Nbr:upc=gtin | Item1 "
    "Desc:desc=description | Vendor Name:brand=brand | Unit Retail Amt:unit=unit_msrp | Total "
    "Qty:qty=quantity | Dept Nbr:code | Total Retail Amt:ext=extended_msrp",
    "apparel": "STYLE:model=model | VENDOR:brand=brand | ITEM DESCRIPTION:desc=description | "
    "COLOR:color | SIZE:size | UNITS:qty=quantity | MSRP:unit=unit_msrp | EXT "
    "MSRP:ext=extended_msrp | UPC:upc=gtin",
    "cartons on pallets": "Pallet ID:pallet=pallet | Carton ID:code | SKU:sku=item_number | Long "
    "Description:desc=description | Units:qty=quantity | MSRP:unit=unit_msrp | Total "
    "MSRP:ext=extended_msrp | Category:cat=category | Load #:lot",
    "snake case with currencies": "manifest_line:line | lpn_id:lpn=lpn | upc_ean:upc=gtin | "
    "product_title:desc=description | manufacturer_name:brand=brand | grade_desc:grade=condition "
    "| retail_usd:unit=unit_msrp | qty_units:qty=quantity | ext_retail_usd:ext=extended_msrp",
    "phones": "Inventory ID:sku=item_number | Product Description:desc=description | Serial "
    "#:serial=serial | Color:color | Grade:grade=condition | Unit MSRP:unit=unit_msrp | "
    "Qty:qty=quantity",
    "containers of a truck": "Truck ID:lot | Container ID:pallet=pallet | Item "
    "Id:sku=item_number | GTIN-14:upc=gtin | Item Desc:desc=description | Count:qty=quantity | "
    "Retail/Unit:unit=unit_msrp | Retail Total:ext=extended_msrp | Cat:cat=category | "
    "Sub-Cat:sub=subcategory",
    "a British charity": "Items:desc=description | No. of units:qty=quantity | RRP per item "
    "£:unit=unit_msrp | Line total £:ext=extended_msrp | Faults:cond=condition",
    "German abbreviations": "Art.-Bez.:desc=description | Anz.:qty=quantity | "
    "Ladenpreis:unit=unit_msrp | Hersteller-Nr.:model=model | Kategorie 1:cat=category | "
    "Kategorie 2:sub=subcategory | Bewertung:zustand=condition",
    "books and games": "Product:desc=description | Vendor Part #:model=model | ISBN/UPC:upc=gtin "
    "| Publisher:brand | Qty Avail:qty=quantity | List Price:unit=unit_msrp | Ext. "
    "List:ext=extended_msrp",
    "long names": "Manifest #:lot | Item Condition Description:cond=condition | Product Sub "
    "Category:sub=subcategory | Product Category:cat=category | Retailer SKU:sku=item_number | "
    "Item Retail Price:unit=unit_msrp | Item Quantity:qty=quantity | Item Title:desc=description "
    "| Item Image:url",
    "averages": "GL Name:cat=category | Product Sub-category:sub=subcategory | EAN:ean=gtin | "
    "Description:desc=description | Units:qty=quantity | Average Unit Retail:unit=unit_msrp | "
    "Total Retail:ext=extended_msrp | Disposition:cond=condition | Customer Return Reason:reason",
    "a Dutch list": "Beschrijving:desc=description | Stuks:qty=quantity | "
    "Winkelprijs:unit=unit_msrp | Totaal winkelprijs:ext=extended_msrp | Staat:cond=condition | "
    "Palletnummer:pallet=pallet",
    "snake case": "product_id:sku=item_number | product_name:desc=description | gtin13:ean=gtin | "
    "unit_price_msrp:unit=unit_msrp | qty_available:qty=quantity | brand_name:brand=brand | "
    "category_l1:cat=category | category_l2:sub=subcategory | item_condition:cond=condition | "
    "currency:cur=currency | created_at:date",
    "selling prices of a chain": "Store #:code | Item #:sku=item_number | Model #:model=model | "
    "Description:desc=description | Product Group:cat=category | Units:qty=quantity | "
    "Unit Selling Price:unit=unit_msrp | Total Selling Price:ext=extended_msrp | "
    "Damage Reason:reason",
    "taxes included": "Pallet No:pallet=pallet | Line:line | Product Code:sku=item_number | "
    "Description:desc=description | Qty:qty=quantity | RRP inc VAT:unit=unit_msrp | "
    "Total RRP inc VAT:ext=extended_msrp | VAT Rate:percent | Barcode:ean=gtin",
    "a status that grades": "Item ID:sku=item_number | Item Title:desc=description | "
    "EAN/UPC:ean=gtin | Units:qty=quantity | RRP (£):unit=unit_msrp | Total RRP (£):ext="
    "extended_msrp | Cost Price (£):cost | Status:cond=condition",
    "Dutch compounds": "Palletnr.:pallet=pallet | Artikelnummer:sku=item_number | "
    "Omschrijving:desc=description | Merk:brand=brand | EAN:ean=gtin | Aantal:qty=quantity | "
    "Adviesprijs:unit=unit_msrp | Totale adviesprijs:ext=extended_msrp | Inkoopprijs:cost",
    "what it sells for, and what it costs": "Model:model=model | Description:desc=description | "
    "Quantity:qty=quantity | MSRP:unit=unit_msrp | Your Price:cost | Ext. Price:costs | "
    "UPC:upc=gtin",
    "a price of the lot": "ASIN:asin=item_number | Item Title:desc=description | Brand:brand=brand"
    " | Qty:qty=quantity | Lot item price:cost | Est. Retail:unit=unit_msrp",
    "regular and sale prices": "Item Name:desc=description | UPC:upc=gtin | Qty:qty=quantity | "
    "Regular Price:unit=unit_msrp | Sale Price:cost | Discount %:percent | Total Regular "
    "Price:ext=extended_msrp | Total Sale Price:costs",
    "ticket prices": "Style #:model=model | Item Description:desc=description | Size:size | "
    "UPC:upc=gtin | Units:qty=quantity | Ticket Price:unit=unit_msrp | "
    "Ext Ticket Price:ext=extended_msrp | Cost:cost",
    "Polish pallets": "Paleta:pallet=pallet | Nazwa:desc=description | EAN:ean=gtin | "
    "Kod 1:lpn=lpn | Kod 2:asin=item_number | Kategoria:cat=category | Ilość:qty=quantity | "
    "Cena regularna:unit=unit_msrp | Wartość regularna:ext=extended_msrp | Cena netto:cost",
    "French abbreviations": "Désignation:desc=description | Nb:qty=quantity | PV TTC:unit="
    "unit_msrp | Prix HT:cost | Remarques:reason | EAN13:ean=gtin",
    "Polish totals": "Nazwa:desc=description | Ilość:qty=quantity | Łączna wartość:ext="
    "extended_msrp | Dział:cat=category | Symbol:sku=item_number | Cena zakupu:cost",
    "prices of a store": "Merchandise Description:desc=description | Scan Code:code | Store "
    "Price:unit=unit_msrp | Lot Price:cost | Pcs:qty=quantity | Dept #:code",
    "names and ids of pallets": "Quantity:qty=quantity | Retail_Price:unit=unit_msrp | "
    "Extended Retail:ext=extended_msrp | Item_Description:desc=description | UPC:upc=gtin | "
    "reason_name:reason | pallet_name:lot | Pallet_ID#:pallet=pallet | Product "
    "ID:sku=item_number",
}

GOODS: Final = (
    "Stainless steel water bottle 30 oz, blue",
    'Cruiser bike tire 26" black',
    "Wireless headphones with charging case",
    "Non-stick frying pan set of 3 pieces",
    "LED desk lamp with dimmer and USB port",
    "Men's running shoes size 10, gray",
    "Toddler balance bike with helmet",
    "Cordless drill 18V with two batteries",
    "Queen mattress topper, memory foam",
    "Electric kettle 1.7 l, brushed steel",
)
BRANDS: Final = ("Hydrel", "Vantor", "Okami", "Brisko", "Lunaro", "Tefanel")
WORDS: Final = {
    "cond": ("New", "Like New", "Used - Good", "Salvage", "Open Box"),
    "zustand": ("Neu", "Wie neu", "Gebraucht - gut", "Defekt", "B-Ware"),
    "etat": ("Neuf", "Comme neuf", "Bon état", "Pour pièces", "Reconditionné"),
    "estado": ("Nuevo", "Como nuevo", "Buen estado", "Para piezas", "Reacondicionado"),
    "grade": ("A", "B", "C", "D"),
    "source": ("Customer Returns", "Overstock", "Shelf Pulls"),
    "cat": ("Sporting goods", "Home", "Electronics", "Toys"),
    "sub": ("Bottles", "Tires", "Lamps", "Shoes", "Tools"),
    "color": ("Blue", "Black", "Gray", "Red"),
    "size": ("S", "M", "L", "XL"),
    "reason": ("Changed mind", "Too small", "Arrived late"),
    "wunit": ("pounds",),
    "cur": ("EUR",),
    "lot": ("L-20260417-253",),
    "percent": ("20%",),
    "date": ("2026-04-17", "2026-04-18"),
}


def gtin(rng: random.Random, length: int = 12, lead: str = "") -> str:
    """A GTIN with its check digit."""
    body = lead + "".join(rng.choices("0123456789", k=length - 1 - len(lead)))
    return body + gtin_check_digit(body)


def value(kind: str, number: int, quantity: int, unit: Decimal, rng: random.Random) -> str:
    """A value of this kind on the line with this number."""
    if kind in WORDS:
        return WORDS[kind][(number * 7 + rng.randrange(3)) % len(WORDS[kind])]
    made: dict[str, Callable[[], str]] = {
        "desc": lambda: f"{GOODS[number % len(GOODS)]} no. {number}",
        "brand": lambda: rng.choice(BRANDS),
        "upc": lambda: gtin(rng, 12, rng.choice(("0", "8"))),
        "ean": lambda: gtin(rng, 13, "4"),
        "upc_float": lambda: f"{gtin(rng, 12, '7')}.0",
        "model": lambda: f"{rng.choice(('XT', 'MB', 'K'))}-{rng.randrange(100, 9999)}",
        "sku": lambda: f"SK{rng.randrange(10**6):06d}",
        "asin": lambda: "B0" + "".join(rng.choices("ABCDEFGHJK0123456789", k=8)),
        "lpn": lambda: "LPNPM" + "".join(rng.choices("0123456789", k=9)),
        "serial": lambda: "SN" + "".join(rng.choices("ABCDEF0123456789", k=10)),
        "pallet": lambda: f"PTAP{16600 + rng.randrange(6)}",
        "qty": lambda: str(quantity),
        "unit": lambda: f"{unit:.2f}",
        "ext": lambda: f"{unit * quantity:.2f}",
        "costs": lambda: f"{unit * quantity * Decimal('0.31'):.2f}",
        "cost": lambda: f"{unit * Decimal('0.31'):.2f}",
        "weight": lambda: f"{rng.randrange(5, 200) / 10}",
        "number": lambda: f"{rng.randrange(5, 200) / 10}",
        "weight_lb": lambda: f"{rng.randrange(5, 200) / 10} lb",
        "line": lambda: str(number + 1),
        "url": lambda: f"https://img.example/{number}.jpg",
        "code": lambda: f"{rng.randrange(10**8, 10**9)}",
    }
    return made[kind]()


def layout(name: str, lines: int = 40) -> tuple[list[str], list[list[str]], dict[str, str]]:
    """Headers, rows, and the header of each field."""
    rng = random.Random(name)
    parts = [part.strip().rsplit(":", 1) for part in LAYOUTS[name].split("|")]
    headers = [header for header, _ in parts]
    kinds = [kind.partition("=") for _, kind in parts]
    rows = []
    for number in range(lines):
        quantity, unit = rng.choice((1, 1, 2, 3, 6)), Decimal(rng.randrange(299, 40_000)) / 100
        rows.append([value(kind, number, quantity, unit, rng) for kind, _, _ in kinds])
    fields = {field: header for header, (_, _, field) in zip(headers, kinds, strict=True) if field}
    return headers, rows, fields

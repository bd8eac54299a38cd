"""What is in the made-up lots: articles by category, of brands that do not exist."""

from typing import Final, NamedTuple


class Article(NamedTuple):
    """A kind of thing: its usual price between two figures in dollars, one piece's weight in
    grams, and what pieces differ by."""

    subcategory: str
    name: str
    low: int
    high: int
    weight_g: int
    variants: tuple[str, ...] = ("",)


BRANDS: Final[dict[str, tuple[str, ...]]] = {
    "kitchen": ("Halden & Pike", "Norrcraft", "Quillmore", "Tavelo", "Bristlecone"),
    "tools": ("Torvane", "Gritline", "Hexbridge", "Ironquay"),
    "home": ("Loomfield", "Softmarsh", "Pillowry", "Eidertown", "Whirwell", "Dustral"),
    "electronics": ("Veltrano", "Calyx One", "Brightwell Digital", "Auvane"),
    "toys": ("Pipplewick", "Bramblekin", "Gogglefox", "Tinkerloft", "Woolly Orbit"),
    "baby": ("Littlefern", "Ottolark", "Cradlewing"),
    "apparel": ("Marlow & Reed", "Tidewater Thread", "Juniper Lane", "Copperstitch"),
    "seasonal": ("Northfir", "Tannery Pine", "Hearthglow"),
    "furniture": ("Oakhollow", "Stavern", "Planehaus", "Brackendale", "Workshed"),
}

# The last line of every lot: what was on the pallet and belongs to no article.
LEFTOVERS: Final = Article("Assorted", "Accessories and spare parts, one box", 10, 30, 2_500)

_STEEL = ("stainless steel", "black", "white", "red")
_SIZES = ("S", "M", "L", "XL", "XXL")
_BEDS = ("twin", "full", "queen", "king")

# By the title of the lot.
ARTICLES: Final[dict[str, tuple[Article, ...]]] = {
    "Kitchen appliances": (
        Article("Toasters", "Toaster, 2 slots, 7 shades", 35, 70, 1_700, _STEEL),
        Article("Toasters", "Toaster, 4 wide slots", 60, 110, 3_100, _STEEL),
        Article("Kettles", "Electric kettle 1.7 L, auto shut-off", 30, 80, 1_300, _STEEL),
        Article("Blenders", "Countertop blender 1,200 W", 80, 160, 4_400, _STEEL[:2]),
        Article("Blenders", "Hand blender set, whisk and chopper", 45, 90, 1_600),
        Article("Mixers", "Stand mixer 5 qt, tilt head", 180, 330, 10_400, ("red", "cream")),
        Article("Coffee", "Drip coffee maker, 12 cups, timer", 50, 120, 3_200, _STEEL[:2]),
        Article("Coffee", "Espresso machine 15 bar, milk frother", 130, 260, 6_300),
        Article("Air fryers", "Air fryer 6 qt, 8 presets", 90, 150, 5_300, ("black", "white")),
        Article("Cookers", "Pressure cooker 6 qt, 9 in 1", 80, 140, 5_700),
        Article("Cookers", "Rice cooker 10 cups, keep warm", 40, 90, 2_900),
        Article("Ovens", "Toaster oven, convection, 6 slices", 100, 190, 8_600),
    ),
    "Cordless power tools": (
        Article("Drills", "Drill/driver kit 20 V, two batteries", 120, 210, 3_600),
        Article("Drills", "Hammer drill 20 V, brushless", 130, 230, 2_700),
        Article("Drivers", "Impact driver 20 V, bare tool", 80, 150, 1_500),
        Article("Saws", 'Circular saw 7 1/4", brushless', 140, 240, 4_100),
        Article("Saws", "Reciprocating saw 20 V", 110, 190, 3_400),
        Article("Saws", "Jig saw 20 V, tool-free blade change", 100, 180, 2_600),
        Article("Grinders", 'Angle grinder 4 1/2", paddle switch', 90, 170, 2_300),
        Article("Sanders", 'Random orbit sander 5"', 70, 130, 1_700),
        Article("Kits", "Combo kit, 4 tools, bag, charger", 260, 420, 8_900),
        Article("Outdoor", "Leaf blower 40 V, 120 mph", 150, 240, 4_800),
        Article("Batteries", "Battery pack 20 V, 5 Ah, 2 pack", 90, 160, 1_300),
    ),
    "Bedding and bath": (
        Article("Sheets", "Sheet set, microfiber, 4 pieces", 20, 40, 1_400, _BEDS),
        Article("Sheets", "Sheet set, cotton percale", 40, 70, 1_900, _BEDS),
        Article("Comforters", "Comforter, down alternative", 35, 60, 2_600, _BEDS[1:]),
        Article("Quilts", "Quilt set with two shams", 40, 65, 2_300, _BEDS[1:]),
        Article("Pillows", "Bed pillows, 2 pack", 18, 35, 1_700, ("standard", "queen", "king")),
        Article("Pads", "Mattress pad, quilted, deep pocket", 25, 45, 1_800, _BEDS),
        Article("Blankets", "Fleece throw 50 x 60 in", 12, 22, 700, ("gray", "navy", "rose")),
        Article("Towels", "Bath towel set, 6 pieces", 20, 38, 1_900, ("white", "sage", "gray")),
        Article("Towels", "Hand towels, 4 pack", 10, 18, 600, ("white", "sage", "gray")),
        Article("Bath", "Memory foam bath mat 20 x 32 in", 12, 22, 650, ("gray", "blue")),
        Article("Bath", "Shower curtain, waffle weave", 15, 28, 800, ("white", "taupe")),
    ),
    "Laptops and tablets": (
        Article("Laptops", 'Laptop 15.6", 16 GB, 512 GB', 520, 760, 2_300, ("silver", "gray")),
        Article("Laptops", 'Laptop 14", 8 GB, 256 GB', 380, 560, 2_000, ("silver", "blue")),
        Article("Laptops", 'Gaming laptop 16", 16 GB, 1 TB', 880, 1_250, 2_900),
        Article("Laptops", 'Convertible 13.3", touch, 16 GB', 600, 900, 1_900),
        Article("Chromebooks", 'Cloud notebook 14", 4 GB, 64 GB', 180, 290, 1_800),
        Article("Tablets", 'Tablet 10.4", 128 GB, Wi-Fi', 190, 320, 800, ("gray", "mint")),
        Article("Tablets", 'Tablet 8.7", 64 GB', 110, 190, 600),
        Article("Tablets", 'Drawing tablet 13", pen display', 230, 380, 1_400),
        Article("Readers", 'E-reader 7", warm light', 120, 190, 400),
    ),
    "Toys and games": (
        Article("Building", "Building blocks, 450 pieces", 18, 32, 900),
        Article("Building", "Marble run, 130 pieces", 22, 38, 1_300),
        Article("Games", "Board game for families, 2-6 players", 18, 34, 1_100),
        Article("Games", "Card game for travel", 8, 14, 300),
        Article("Puzzles", "Jigsaw puzzle, 1,000 pieces", 12, 20, 800, ("harbor", "forest")),
        Article("Plush", "Plush animal 14 in", 12, 22, 400, ("fox", "otter", "bear", "hare")),
        Article("Vehicles", "Remote control car 1:16", 28, 48, 1_100, ("red", "green")),
        Article("Vehicles", "Wooden train set, 60 pieces", 26, 44, 1_700),
        Article("Crafts", "Craft kit, beads and thread", 10, 18, 500),
        Article("Science", "Science kit, 30 experiments", 20, 34, 1_000),
        Article("Dolls", "Doll house furniture set", 16, 30, 900),
        Article("Outdoor", "Bubble machine, rechargeable", 14, 24, 600),
    ),
    "Strollers, car seats": (
        Article("Strollers", "Full-size stroller, one-hand fold", 140, 260, 11_800),
        Article("Strollers", "Umbrella stroller, 14 lb", 60, 110, 6_400, ("black", "teal")),
        Article("Strollers", "Double stroller, side by side", 190, 300, 15_300),
        Article("Car seats", "Convertible car seat, 5-65 lb", 120, 220, 9_100, ("gray", "black")),
        Article("Car seats", "Infant car seat with base", 110, 190, 8_200),
        Article("Car seats", "Booster seat, high back", 50, 90, 5_000),
        Article("Nursery", "Baby monitor, camera and screen", 70, 140, 900),
        Article("Nursery", "Portable playard with bassinet", 80, 150, 12_300),
        Article("Feeding", "High chair, 7 positions", 70, 130, 8_700),
        Article("Carriers", "Baby carrier, 4 positions", 45, 90, 900, ("sand", "slate")),
    ),
    "Televisions, cracked": (
        Article("43 inch", '43" television, 4K', 230, 320, 9_600),
        Article("50 inch", '50" television, 4K', 280, 390, 12_900),
        Article("55 inch", '55" television, 4K', 330, 480, 16_400),
        Article("65 inch", '65" television, 4K', 450, 650, 22_800),
        Article("32 inch", '32" television, 720p', 120, 190, 5_200),
    ),
    "Apparel, mixed sizes": (
        Article("Tops", "T-shirt, combed cotton", 12, 22, 180, _SIZES),
        Article("Tops", "Oxford shirt, long sleeve", 28, 48, 320, _SIZES),
        Article("Tops", "Fleece pullover, quarter zip", 32, 55, 480, _SIZES),
        Article("Tops", "Knit sweater, crew neck", 30, 52, 520, _SIZES),
        Article("Bottoms", "Chino, slim fit", 32, 55, 560, ("30", "32", "34", "36", "38")),
        Article("Bottoms", "Leggings, high waist", 18, 34, 260, _SIZES),
        Article("Bottoms", "Jogger, French terry", 24, 42, 480, _SIZES),
        Article("Outerwear", "Rain jacket, packable", 40, 70, 450, _SIZES),
        Article("Dresses", "Jersey dress", 26, 46, 340, _SIZES),
        Article("Sleep", "Pajama set, flannel", 22, 38, 520, _SIZES),
        Article("Socks", "Crew socks, 6 pack", 10, 18, 320, ("M", "L")),
        Article("Kids", "Kids' hoodie", 16, 28, 300, ("6", "8", "10", "12")),
    ),
    "Vacuums and floor care": (
        Article("Upright", "Upright vacuum, pet hair", 140, 260, 7_400),
        Article("Stick", "Cordless stick vacuum, 45 min", 180, 340, 3_900, ("gray", "plum")),
        Article("Robots", "Robot vacuum, maps rooms, dock", 260, 480, 6_200),
        Article("Robots", "Robot vacuum and mop", 220, 390, 4_300),
        Article("Canister", "Canister vacuum, HEPA", 160, 290, 6_800),
        Article("Wet", "Carpet washer, two tanks", 170, 300, 9_300),
        Article("Wet", "Hard floor washer, self-cleaning", 210, 380, 5_600),
        Article("Steam", "Steam mop with pads", 70, 130, 2_800),
    ),
    "Artificial trees, 7 ft": (
        Article("Trees", "Artificial tree 7 ft, 1,100 tips", 110, 190, 13_600),
        Article("Trees", "Artificial tree 7 ft, pre-lit, warm white", 170, 280, 16_200),
        Article("Trees", "Artificial tree 7.5 ft, flocked", 180, 290, 17_500),
        Article("Trees", "Pencil tree 7 ft, 750 tips", 90, 160, 9_800),
    ),
    "Furniture and DIY": (
        Article("Chairs", "Office chair, mesh back", 90, 170, 13_900, ("black", "gray")),
        Article("Chairs", "Folding chairs, 4 pack", 70, 120, 18_200),
        Article("Tables", "Coffee table, lift top", 120, 220, 26_400, ("oak", "walnut")),
        Article("Tables", "Standing desk 48 x 24 in", 180, 300, 29_800, ("white", "oak")),
        Article("Storage", "Bookshelf, 5 tiers", 60, 120, 17_600, ("white", "black")),
        Article("Storage", "Dresser, 6 drawers", 130, 240, 38_500, ("white", "gray")),
        Article("Storage", "Shoe cabinet, 3 flaps", 70, 130, 16_900),
        Article("Lighting", "LED ceiling light 15 in, 2 pack", 35, 60, 2_100),
        Article("Lighting", "Floor lamp, dimmable", 40, 80, 4_200),
        Article("Paint", "Paint sprayer, 700 W", 60, 100, 2_700),
        Article("Hand tools", "Tool set, 148 pieces", 50, 95, 7_600),
        Article("Hardware", "Cabinet pulls, 30 pack", 25, 45, 1_400, ("brass", "black")),
        Article("Hardware", "Garage shelving brackets, 6 pack", 25, 40, 3_300),
        Article("Plumbing", "Kitchen faucet, pull-down", 60, 130, 2_600, ("chrome", "black")),
        Article("Electrical", "Smart switch, 3 pack", 35, 60, 500),
        Article("Outdoor", "Patio umbrella 9 ft", 50, 90, 6_100, ("tan", "red")),
    ),
}

"""Skills, components and products. Piece rates and prices of the necklace HPN-01 are
those of the worked example in the product's acceptance walks; the others are invented."""

from dataclasses import dataclass, field

from artisans.models import Skill
from orders.enums import ComponentKind
from orders.models import BomLine, Buyer, Component, Product
from orders.services.stock import receive_stock
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

# code: name, technique, material, share of workshops
KENYAN_SKILLS = {
    "horn-carving": ("Horn carving", "carving", "horn", 40),
    "brass-casting": ("Brass casting", "casting", "brass", 45),
    "bone-carving": ("Bone carving", "carving", "bone", 18),
    "beading": ("Beading", "beading", "glass", 14),
    "soldering": ("Soldering", "soldering", "brass", 8),
}
ETHIOPIAN_SKILLS = {
    "leather-cutting": ("Leather cutting", "cutting", "leather", 7),
    "leather-stitching": ("Leather stitching", "stitching", "leather", 5),
}
# code, name, kind, family, material, skill, level, rate in shillings, minutes, tolerance
KENYAN_PARTS = [
    ("HP-01", "Horn pendant", "made", "pendant", "horn", "horn-carving", 3, 560, 35,
     "30 mm +/- 1 mm"),
    ("BH-02", "Brass hook", "made", "hook", "brass", "brass-casting", 2, 350, 20,
     "12 mm +/- 0.5 mm"),
    ("BC-03", "Brass cuff", "made", "cuff", "brass", "brass-casting", 3, 720, 45,
     "opening 25 mm +/- 2 mm"),
    ("BB-04", "Bone bead", "made", "bead", "bone", "bone-carving", 2, 60, 5, "8 mm"),
    ("HR-05", "Horn ring", "made", "ring", "horn", "horn-carving", 4, 480, 30,
     "inner 17 mm +/- 0.3 mm"),
    ("BS-06", "Beaded strand", "made", "strand", "glass", "beading", 2, 420, 40, ""),
    ("CH-50", "Chain 50 cm", "bought", "chain", "brass", "", 1, 0, 0, ""),
    ("CL-01", "Clasp", "bought", "clasp", "brass", "", 1, 0, 0, ""),
    ("DR-01", "Drop pair", "assembled", "earring", "", "", 1, 0, 0, ""),
]  # fmt: skip
ETHIOPIAN_PARTS = [
    ("LP-01", "Leather panel", "made", "panel", "leather", "leather-cutting", 2, 95, 20,
     ""),
    ("LS-02", "Stitched strap", "made", "strap", "leather", "leather-stitching", 2, 70,
     25, ""),
    ("BK-10", "Buckle", "bought", "buckle", "brass", "", 1, 0, 0, ""),
]  # fmt: skip
# sku, name, family, collection, price in dollars, bill of materials
KENYAN_PRODUCTS = [
    ("HPN-01", "Horn Pendant Necklace", "necklace", "Savanna", 30,
     {"HP-01": 1, "BH-02": 1, "CH-50": 1}),
    ("BCF-02", "Brass Cuff", "cuff", "Savanna", 34, {"BC-03": 1}),
    ("BDE-03", "Bone Drop Earrings", "earring", "Rift", 22, {"DR-01": 2}),
    ("HRG-04", "Horn Ring", "ring", "Rift", 18, {"HR-05": 1}),
    ("BSN-05", "Beaded Strand Necklace", "necklace", "Coast", 28,
     {"BS-06": 3, "CL-01": 1}),
]  # fmt: skip
ETHIOPIAN_PRODUCTS = [
    ("LTB-01", "Leather Tote", "bag", "Entoto", 64,
     {"LP-01": 4, "LS-02": 2, "BK-10": 2}),
]  # fmt: skip
# parent component -> children: a further level of the bill
KENYAN_ASSEMBLIES = {"DR-01": {"BB-04": 2, "BH-02": 1}}


@dataclass
class Catalogue:
    """What was made, by code."""

    skills: dict[str, tuple[Skill, int]] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    buyers: dict[str, Buyer] = field(default_factory=dict)


def build_catalogue(
    tenant: Tenant,
    skills: dict[str, tuple[str, str, str, int]],
    parts: list[tuple],  # type: ignore[type-arg]
    products: list[tuple],  # type: ignore[type-arg]
    assemblies: dict[str, dict[str, int]],
    stock: dict[str, int],
    buyers: dict[str, str],
) -> Catalogue:
    """Write the catalogue of one tenant."""
    made = Catalogue()
    for code, (name, technique, material, share) in skills.items():
        skill = Skill.objects.create(
            tenant=tenant, code=code, name=name, technique=technique, material=material
        )
        made.skills[code] = (skill, share)
    for code, name, kind, family, material, skill, level, rate, minutes, limit in parts:
        made.components[code] = Component.objects.create(
            tenant=tenant,
            code=code,
            name=name,
            kind=ComponentKind(kind),
            family=family,
            material=material,
            skill=made.skills[skill][0] if skill else None,
            min_level=level,
            difficulty=level,
            piece_rate_minor=rate * 100,
            standard_minutes=minutes,
            tolerance=limit,
        )
    for sku, name, family, collection, dollars, bill in products:
        product = made.products[sku] = Product.objects.create(
            tenant=tenant,
            sku=sku,
            name=name,
            family=family,
            collection=collection,
            price_minor=dollars * 100,
        )
        _bill(tenant, made, bill, product=product)
    for parent, bill in assemblies.items():
        _bill(tenant, made, bill, parent=made.components[parent])
    for code, quantity in stock.items():
        receive_stock(
            component=made.components[code],
            quantity=quantity,
            reason="opening stock",
            actor=Actor.system("demo"),
        )
    for code, name in buyers.items():
        made.buyers[code] = Buyer.objects.create(tenant=tenant, code=code, name=name)
    return made


def _bill(
    tenant: Tenant,
    made: Catalogue,
    bill: dict[str, int],
    *,
    product: Product | None = None,
    parent: Component | None = None,
) -> None:
    for code, quantity in bill.items():
        BomLine.objects.create(
            tenant=tenant,
            product=product,
            parent=parent,
            component=made.components[code],
            quantity=quantity,
        )

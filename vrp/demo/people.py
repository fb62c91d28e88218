"""Names and places. All persons are invented; areas are public place names."""

WOMEN = (
    "Wanjiku Achieng Njeri Akinyi Wambui Atieno Nyambura Moraa Kemunto Halima Zawadi "
    "Mumbi Adhiambo Chebet Naliaka Wairimu Fatuma Nekesa Awino Kerubo"
).split()
MEN = (
    "Otieno Kamau Mwangi Ochieng Kiprop Mutua Barasa Omondi Njoroge Kibet Juma Wafula "
    "Maina Odhiambo Musyoka Hassan Koech Were Karanja Simiyu"
).split()
FAMILIES = (
    "Otieno Kamau Mwangi Ouma Kariuki Mutiso Wekesa Onyango Ndungu Cheruiyot Abdi "
    "Makau Owino Gitau Rotich Nyaga Okello Muriuki Wanyama Langat"
).split()
# By country: women's names, men's names, family names.
NAMES = {
    "KE": (WOMEN, MEN, FAMILIES),
    "ET": (
        "Almaz Chaltu Eleni Genet Hana Lensa Meskerem Tigist".split(),
        "Abebe Bekele Dawit Fikru Girma Kebede Solomon Tesfaye".split(),
        "Abera Desta Gebre Haile Lemma Mekonnen Tadesse Wolde".split(),
    ),
}
# Area, region, share of the workshops.
KENYA = [
    ("Kibera", "Nairobi", 36),
    ("Kariobangi", "Nairobi", 26),
    ("Dagoretti", "Nairobi", 16),
    ("Kawangware", "Nairobi", 12),
    ("Thika", "Central", 12),
    ("Machakos", "Eastern", 13),
    ("Kisumu", "Nyanza", 10),
]
ETHIOPIA = [("Merkato", "Addis Ababa", 7), ("Bole", "Addis Ababa", 5)]

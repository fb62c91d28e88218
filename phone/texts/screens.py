"""Texts of USSD screens. Choices stand on lines of their own; 0 is always "back"."""

SCREENS: dict[str, dict[str, str]] = {
    # -- menus ---------------------------------------------------------------------
    "main": {
        "en": "Welcome {name}.\n1 New work({count})\n2 My jobs\n3 Deliver\n4 Money\n"
        "5 Progress\n6 Language",
        "sw": "Karibu {name}.\n1 Kazi mpya({count})\n2 Kazi zangu\n3 Peleka\n4 Pesa\n"
        "5 Maendeleo\n6 Lugha",
    },
    "offers": {"en": "New work:", "sw": "Kazi mpya:"},
    "offers_none": {"en": "No new work now.", "sw": "Hakuna kazi mpya kwa sasa."},
    "offer_row": {
        "en": "{job} {component} x{quantity}",
        "sw": "{job} {component} x{quantity}",
    },
    "offer": {
        "en": "{job} {component} x{quantity}, {rate} each, due {due}.\n1 Accept\n2 Part\n"
        "3 Decline\n0 Back",
        "sw": "{job} {component} x{quantity}, {rate} kila moja, mwisho {due}.\n1 Kubali\n"
        "2 Sehemu\n3 Kataa\n0 Rudi",
    },
    "part": {
        "en": "How many of {quantity} {component} can you make?\n0 Back",
        "sw": "Unaweza kutengeneza ngapi kati ya {component} {quantity}?\n0 Rudi",
    },
    "confirm": {
        "en": "Accept {quantity} {component}?\n1 Yes\n2 No",
        "sw": "Unakubali {component} {quantity}?\n1 Ndiyo\n2 Hapana",
    },
    "reason": {
        "en": "Why do you decline {job}?\n1 Too much work\n2 Price too low\n3 No material\n"
        "4 Family or farm\n5 Other\n0 Back",
        "sw": "Kwa nini unakataa {job}?\n1 Kazi nyingi\n2 Bei ndogo\n3 Hakuna malighafi\n"
        "4 Familia/shamba\n5 Nyingine\n0 Rudi",
    },
    "jobs": {"en": "My jobs:", "sw": "Kazi zangu:"},
    "jobs_none": {"en": "You have no open jobs.", "sw": "Huna kazi kwa sasa."},
    "job_row": {
        "en": "{job} {component} {made}/{quantity}",
        "sw": "{job} {component} {made}/{quantity}",
    },
    "job": {
        "en": "{job} {component}: made {made} of {quantity}, delivered {delivered}. "
        "{rate} each, due {due}.\n1 Progress\n0 Back",
        "sw": "{job} {component}: tayari {made} kati ya {quantity}, umeleta {delivered}. "
        "{rate} kila moja, mwisho {due}.\n1 Maendeleo\n0 Rudi",
    },
    "progress_jobs": {"en": "Progress of which job?", "sw": "Maendeleo ya kazi gani?"},
    "progress": {
        "en": "{job} {component}: how many of {quantity} are made in all? "
        "Last time: {made}.\n0 Back",
        "sw": "{job} {component}: jumla ngapi kati ya {quantity} ziko tayari? "
        "Mara ya mwisho: {made}.\n0 Rudi",
    },
    "deliver": {"en": "What do you bring?", "sw": "Unaleta nini?"},
    "deliver_none": {
        "en": "Nothing to deliver now.",
        "sw": "Hakuna cha kuleta kwa sasa.",
    },
    "deliver_all": {"en": "All ready ({count})", "sw": "Zote tayari ({count})"},
    "deliver_row": {
        "en": "{job} {component} ({count} ready)",
        "sw": "{job} {component} ({count} tayari)",
    },
    "pieces": {
        "en": "{job} {component}: how many do you bring? {count} ready, at most {most}.\n"
        "0 Back",
        "sw": "{job} {component}: unaleta ngapi? {count} tayari, zisizidi {most}.\n0 Rudi",
    },
    "day": {"en": "Pieces: {count}. Which day?", "sw": "Vipande: {count}. Siku gani?"},
    "money": {"en": "Owed to you: {owed}.", "sw": "Unadai: {owed}."},
    "money_none": {"en": "No payments yet.", "sw": "Bado hakuna malipo."},
    "paid_row": {
        "en": "{day} {pay} paid {receipt}",
        "sw": "{day} {pay} imelipwa {receipt}",
    },
    "underway_row": {"en": "{day} {pay} on its way", "sw": "{day} {pay} iko njiani"},
    "unknown_row": {
        "en": "{day} {pay} not sure yet, we are asking",
        "sw": "{day} {pay} haijulikani bado, tunauliza",
    },
    "failed_row": {
        "en": "{day} {pay} failed, we will pay again",
        "sw": "{day} {pay} haikupita, tutalipa tena",
    },
    "language": {
        "en": "Language:\n1 English\n2 Kiswahili\n0 Back",
        "sw": "Lugha:\n1 English\n2 Kiswahili\n0 Rudi",
    },
    # -- pieces of any screen ------------------------------------------------------
    "more": {"en": "98 More", "sw": "98 Zaidi"},
    "back": {"en": "0 Back", "sw": "0 Rudi"},
    "again": {"en": "Not understood.", "sw": "Sijaelewa."},
    "bad_number": {"en": "Say {low} to {high}.", "sw": "Sema {low} hadi {high}."},
    # -- the last screen -----------------------------------------------------------
    "accepted": {
        "en": "Accepted {quantity} {component}, due {due}. Ref {reference}.",
        "sw": "Umekubali {component} {quantity}, mwisho {due}. Kumb {reference}.",
    },
    "declined": {
        "en": "Declined job {job}. Thank you for telling us.",
        "sw": "Umekataa kazi {job}. Asante kwa kutuambia.",
    },
    "progressed": {
        "en": "Job {job}: {made}/{quantity} made. Thank you.",
        "sw": "Kazi {job}: {made}/{quantity} tayari. Asante.",
    },
    "booked": {
        "en": "Delivery {delivery} on {day}, pieces: {count}. Say {delivery} at the gate.",
        "sw": "{delivery}, {day}, vipande: {count}. Taja {delivery} langoni.",
    },
    "language_set": {
        "en": "We will write to you in English from now on.",
        "sw": "Kuanzia sasa tutakuandikia kwa Kiswahili.",
    },
    "not_open": {
        "en": "That is not possible any more: the job has changed. Dial again to see it.",
        "sw": "Haiwezekani tena: kazi imebadilika. Piga tena kuiona.",
    },
    "refused": {
        "en": "That cannot be done. Nothing was changed. Dial again.",
        "sw": "Haiwezekani. Hakuna kilichobadilika. Piga tena.",
    },
    "expired": {
        "en": "Too much time has passed. Nothing more was changed. Please dial again.",
        "sw": "Muda umekwisha. Hakuna kingine kilichobadilika. Tafadhali piga tena.",
    },
    "stranger": {
        "en": "This number is not registered with {tenant}. Please ask the office.",
        "sw": "Namba hii haijasajiliwa na {tenant}. Tafadhali uliza ofisi.",
    },
    "busy": {
        "en": "Too many calls just now. Nothing was changed. "
        "Please dial again in a minute.",
        "sw": "Simu ni nyingi kwa sasa. Hakuna kilichobadilika. "
        "Tafadhali piga tena baada ya dakika moja.",
    },
    "trouble": {
        "en": "Something went wrong on our side. Nothing was changed. "
        "Please dial again later.",
        "sw": "Kuna hitilafu upande wetu. Hakuna kilichobadilika. "
        "Tafadhali piga tena baadaye.",
    },
}

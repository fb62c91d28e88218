"""Texts of SMS. Named values are written by ``phone.subscribers`` and ``phone.inbound``."""

SMS: dict[str, dict[str, str]] = {
    # -- told by us ----------------------------------------------------------------
    "offer": {
        "en": "Job {job}: {quantity} {component} at {rate} = {total}, due {due}. "
        "Dial {ussd} to answer, or reply YES {job} or NO {job}.",
        "sw": "Kazi {job}: {component} {quantity} kwa {rate} = {total}, mwisho {due}. "
        "Piga {ussd} kujibu, au jibu NDIO {job} au HAPANA {job}.",
    },
    "offer_withdrawn": {
        "en": "Job {job} ({quantity} {component}) is no longer on offer, "
        "so you need not answer. Sorry for the trouble.",
        "sw": "Kazi {job} ({component} {quantity}) haipo tena, "
        "huhitaji kujibu. Samahani kwa usumbufu.",
    },
    "job_withdrawn": {
        "en": "Please stop job {job} ({quantity} {component}): we had to take it back. "
        "It does not count against you. Sorry.",
        "sw": "Tafadhali simamisha kazi {job} ({component} {quantity}): imebidi tuichukue. "
        "Haihesabiki dhidi yako. Samahani.",
    },
    "lapsed": {
        "en": "Job {job} ({quantity} {component}) was not answered in time and goes to "
        "others. That is all right: we will offer you more work.",
        "sw": "Kazi {job} ({component} {quantity}) haikujibiwa kwa wakati, inaenda kwa "
        "wengine. Hakuna tatizo: tutakupa kazi nyingine.",
    },
    "count_short": {
        "en": "{delivery}, job {job}: you declared {declared}, we counted {counted}. "
        "{missing} missing. Please check at home; the job stays open for them.",
        "sw": "{delivery}, kazi {job}: ulisema {declared}, tumehesabu {counted}. "
        "{missing} hazipo. Tafadhali angalia nyumbani; kazi bado wazi.",
    },
    "count_over": {
        "en": "{delivery}, job {job}: you declared {declared}, we counted {counted}. "
        "Thank you; all {counted} will be graded.",
        "sw": "{delivery}, kazi {job}: ulisema {declared}, tumehesabu {counted}. "
        "Asante; zote {counted} zitakaguliwa.",
    },
    "graded": {
        "en": "{batch}: {grades}. Pay {items} = {pay}.",
        "sw": "{batch}: {grades}. Malipo {items} = {pay}.",
    },
    "graded_unpaid": {
        "en": "{batch}: {grades}. No pay for this batch yet.",
        "sw": "{batch}: {grades}. Hakuna malipo ya furushi hili kwa sasa.",
    },
    "paid": {
        "en": "You have been paid {pay} by M-Pesa, reference {receipt} ({run}). "
        "Thank you for your work.",
        "sw": "Umelipwa {pay} kwa M-Pesa, kumbukumbu {receipt} ({run}). "
        "Asante kwa kazi yako.",
    },
    "payout_failed": {
        "en": "Your payment of {pay} ({run}) did not go through. The money is still "
        "yours: we will look into it and pay it again.",
        "sw": "Malipo yako ya {pay} ({run}) hayakupita. Pesa bado ni yako: "
        "tutachunguza na kulipa tena.",
    },
    # -- replies to what she wrote -----------------------------------------------------
    "accepted": {
        "en": "Accepted: job {job}, {quantity} {component}, due {due}. Ref {reference}.",
        "sw": "Umekubali: kazi {job}, {component} {quantity}, mwisho {due}. "
        "Kumb {reference}.",
    },
    "declined": {
        "en": "You declined job {job}. Thank you for telling us.",
        "sw": "Umekataa kazi {job}. Asante kwa kutuambia.",
    },
    "progress": {
        "en": "Job {job}: {made}/{quantity} made. Thank you.",
        "sw": "Kazi {job}: {made}/{quantity} zimekamilika. Asante.",
    },
    "jobs": {
        "en": "Your jobs: {jobs}. Dial {ussd} for more.",
        "sw": "Kazi zako: {jobs}. Piga {ussd} kwa zaidi.",
    },
    "jobs_none": {
        "en": "You have no open jobs now. We will write when there is work.",
        "sw": "Huna kazi kwa sasa. Tutakuandikia kazi ikipatikana.",
    },
    "language": {
        "en": "We will write to you in English from now on.",
        "sw": "Kuanzia sasa tutakuandikia kwa Kiswahili.",
    },
    "help": {
        "en": "Write YES 8841 or NO 8841 to answer job 8841, DONE 8841 40 when 40 are "
        "made, JOBS for your jobs, LUGHA SW for Kiswahili. Or dial {ussd}",
        "sw": "Andika NDIO 8841 au HAPANA 8841 kujibu kazi 8841, FANYA 8841 40 ukiwa na "
        "40, KAZI kwa kazi zako, LANGUAGE EN kwa English. Au piga {ussd}",
    },
    "form_yes": {
        "en": "Which job? Write YES and the job number, for example YES {job}. "
        "Or dial {ussd}",
        "sw": "Kazi gani? Andika NDIO na namba ya kazi, mfano NDIO {job}. Au piga {ussd}",
    },
    "form_no": {
        "en": "Which job? Write NO and the job number, for example NO {job}. "
        "Or dial {ussd}",
        "sw": "Kazi gani? Andika HAPANA na namba ya kazi, mfano HAPANA {job}. "
        "Au piga {ussd}",
    },
    "form_done": {
        "en": "To report pieces made write DONE, the job and how many in all, for example "
        "DONE {job} 40. Or dial {ussd}",
        "sw": "Kuripoti vipande andika FANYA, namba ya kazi na jumla, mfano "
        "FANYA {job} 40. Au piga {ussd}",
    },
    "form_language": {
        "en": "For English write LANGUAGE EN. Kwa Kiswahili andika LUGHA SW.",
        "sw": "Kwa Kiswahili andika LUGHA SW. For English write LANGUAGE EN.",
    },
    # -- when it cannot be done ----------------------------------------------------------
    "no_such_job": {
        "en": "We do not find job {job} among yours. Write JOBS to see them, "
        "or dial {ussd}",
        "sw": "Hatuoni kazi {job} kati ya zako. Andika KAZI kuziona, au piga {ussd}",
    },
    "not_open": {
        "en": "Job {job} is not open for that any more. Nothing was changed. "
        "Dial {ussd} to see your jobs.",
        "sw": "Kazi {job} haiwezi kubadilishwa hivyo tena. Hakuna kilichobadilika. "
        "Piga {ussd} kuona kazi zako.",
    },
    "bad_count": {
        "en": "Job {job}: say a number from {low} to {high}. Nothing was changed.",
        "sw": "Kazi {job}: taja namba kati ya {low} na {high}. Hakuna kilichobadilika.",
    },
}

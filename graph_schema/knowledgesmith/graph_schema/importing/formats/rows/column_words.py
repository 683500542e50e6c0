"""Words that people write over the columns of a table of facts, in the languages that we know them of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.language.name_keys import name_key


class Role(StrEnum):
    """What a column of a table of facts holds."""

    SUBJECT = "subject"
    RELATION = "relation"
    OBJECT = "object"
    SOURCE = "source"
    LABEL = "label"
    DIRECTION = "direction"
    ID = "id"
    NAME = "name"
    TYPE = "type"
    ALIASES = "aliases"
    DOMAIN = "domain"
    IGNORE = "ignore"


_STRONG: Final = {
    Role.SUBJECT: """subject subj sbj head head_entity subject_entity subjekt sujet sujeto soggetto sujeito onderwerp
        podmiot subiect özne subjek alany subjekti субъект подлежащее суб'єкт υποκείμενο נושא 主语 主語 主体
        主體 主词 主詞 头实体 首实体 頭實體 주어 주체 المبتدأ مبتدأ الموضوع موضوع الفاعل فاعل نهاد موضوع
        विषय कर्ता ประธาน chủ_thể chủ_ngữ""",
    Role.RELATION: """relation relationship relation_type relationship_type predicate pred rel rel_type beziehung
        prädikat relationstyp prédicat relación predicado relazione predicato relação relatie predicaat
        relacja orzeczenie predykat ilişki yüklem relasi predikat suhde viszony отношение связь предикат
        сказуемое зв'язок σχέση κατηγόρημα יחס 关系 關係 谓语 謂語 谓词 謂詞 述語 関係 관계 술어 العلاقة
        علاقة المحمول محمول المسند الصلة صلة رابطه رابطة گزاره संबंध सम्बन्ध विधेय ความสัมพันธ์ quan_hệ
        vị_ngữ""",
    Role.OBJECT: """object obj tail tail_entity object_entity objekt objet objeto oggetto voorwerp dopełnienie obiekt
        nesne objek tárgy объект дополнение об'єкт αντικείμενο מושא 宾语 賓語 客体 客體 受词 受詞 尾实体
        尾實體 目的語 客語 목적어 객체 المفعول مفعول المفعول_به مفعول_به कर्म กรรม đối_tượng tân_ngữ""",
}
_WEAK: Final = {
    Role.SUBJECT: """source src from start start_id startnode start_node node1 node_1 entity1 entity_1 arg1 e1 s h
        quelle origen 源 来源 來源 起点 起點 始点 출발 المصدر مصدر начало источник""",
    Role.RELATION: """type label property prop attribute edge edge_label edge_type link verb p r via eigenschaft merkmal
        attribut typ art kante propriété lien attribut propiedad atributo tipo proprietà attributo
        propriedade eigenschap właściwość özellik ominaisuus свойство атрибут тип ιδιότητα תכונה 属性 屬性
        性质 性質 特性 类型 類型 種類 プロパティ 속성 유형 الخاصية خاصية الصفة صفة النوع نوع ویژگی गुण
        คุณสมบัติ thuộc_tính""",
    Role.OBJECT: """target tgt to end end_id endnode end_node node2 node_2 entity2 entity_2 arg2 e2 t o value val dest
        destination ziel wert valeur cible valor destino valore waarde doel wartość cel değer hedef
        arvo kohde значение цель конец τιμή ערך 目标 目標 对象 對象 対象 值 数值 終点 终点 終點 値 값 대상
        القيمة قيمة الهدف هدف مقدار मूल्य मान ค่า giá_trị nilai""",
}
_BETWEEN: Final = """verb verbs action link connection association property predicate_name
        verbindung verknüpfung tätigkeit handlung eigenschaft merkmal kante
        verbe lien connexion propriété verbo acción vínculo enlace propiedad
        azione legame proprietà ação vínculo propriedade ligação werkwoord
        verband eigenschap czasownik właściwość fiil eylem bağlantı özellik
        verbi teko ominaisuus глагол действие свойство дія дієслово ρήμα
        ιδιότητα תכונה פועל קשר 动词 動詞 动作 動作 联系 聯繫 关联 關聯 连接 連接 属性 屬性 性质 性質 特性
        関連 つながり プロパティ 동사 연결 속성 الفعل فعل الرابط رابط الارتباط ارتباط الخاصية
        خاصية الصفة صفة ویژگی गुण क्रिया คุณสมบัติ กริยา thuộc_tính động_từ
        kata_kerja"""
_OTHER: Final = {
    Role.ID: """id uid node_id nodeid node key identifier code 编号 編號 标识 識別子 아이디 المعرف معرف الرقم
        идентификатор""",
    Role.NAME: """name label title display_name full_name bezeichnung titel nom nombre nome naam nazwa ad ime név nimi
        название имя название όνομα שם 名称 名稱 姓名 名字 标题 標題 名前 이름 الاسم اسم نام नाम ชื่อ tên
        nama""",
    Role.TYPE: """type class category kind typ klasse categoría categorie 类型 類型 类别 種類 유형 النوع الفئة тип
        категория""",
    Role.ALIASES: """aliases alias synonyms also_known_as other_names 别名 別名 الأسماء_الأخرى синонимы""",
    Role.DOMAIN: "domain",
    Role.LABEL: """label labels truth truth_value true is_true valid is_valid correct is_correct y gold gold_label wahr
        richtig korrekt gültig vrai correcte valide verdadero válido correcto vero valido corretto verdadeiro
        válido waar juist geldig prawda doğru истина верно метка 标签 標籤 真假 真值 真伪 真偽 正误 正確 正确
        ラベル 正しい 레이블 라벨 진위 참 صحيح صحة सत्य सही""",
    Role.SOURCE: """source reference provenance citation quelle 来源 出典 المصدر источник""",
}
_INDEX: Final = """no nr num number index idx row rank # # n. nº № lfd_nr 序号 編號 编号 番号 번호 الرقم م №"""
_NOUNS: Final = """country capital city town continent language currency population area region state province river
        mountain author writer book title year born died founder company headquarters ceo industry product
        team player club sport coach film movie director actor genre artist album song university school
        field person occupation job nationality spouse father mother child parent birthplace birthdate
        inventor invention discovery element symbol atomic_number animal plant species family colour color
        price date president leader religion employee department manager land hauptstadt stadt kontinent
        sprache währung einwohner fluss autor buch jahr gründer firma verein beruf pays capitale ville
        continent langue monnaie population auteur livre année fondateur entreprise métier país ciudad
        continente idioma lengua moneda población autor libro año fundador empresa profesión 国家 國家 首都
        城市 大洲 洲 语言 語言 货币 貨幣 人口 面积 省份 省 省会 作者 书名 作品 年份 出生地 出生年份 创始人
        公司 总部 球队 职业 朝代 国 言語 通貨 都市 著者 会社 国名 나라 수도 도시 언어 통화 저자 الدولة دولة
        البلد بلد العاصمة عاصمة المدينة مدينة القارة قارة اللغة لغة العملة عملة السكان عدد_السكان المؤلف
        مؤلف الكاتب الكتاب كتاب السنة سنة المؤسس الشركة شركة المقر النادي المهنة страна столица город
        континент язык валюта население автор книга год основатель компания профессия
        person people individual thing item place location entity concept ort ding sache gegenstand
        personne lieu endroit chose élément persona lugar cosa elemento luogo pessoa coisa local persoon plaats
        osoba miejsce rzecz kişi yer şey henkilö paikka asia személy hely dolog человек лицо место вещь особа місце річ
        πρόσωπο τόπος πράγμα אדם מקום דבר 人 人物 人名 地点 地點 地方
        场所 場所 事物 物品 实体 實體 物 사람 인물 장소 사물
        الشخص شخص الإنسان إنسان المكان مكان الشيء شيء الكيان كيان व्यक्ति जगह स्थान वस्तु บุคคล สถานที่ người nơi_chốn
        địa_điểm sự_vật orang tempat benda"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(heading(word) for word in text.split()))


_SPLIT: Final = re.compile(r"[\s_\-:.]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def heading(text: str) -> str:
    """A heading as it is compared: case, blanks, underscores, colons and points aside."""
    return " ".join(part for part in _SPLIT.split(name_key(_CAMEL.sub(" ", text))) if part)


STRONG: Final = {role: _words(text) for role, text in _STRONG.items()}
"""Headings that say a role by themselves."""
WEAK: Final = {role: _words(text) for role, text in _WEAK.items()}
"""Headings that say a role where another column has one too; the earlier ones count before the later."""
OTHER: Final = {role: _words(text) for role, text in _OTHER.items()}
"""Headings of columns that are no part of a fact."""
BETWEEN: Final = frozenset(_words(_BETWEEN))
"""Headings that mean a relation where the others are nouns."""
INDEX: Final = frozenset(_words(_INDEX)) | {""}
"""Headings of a running number."""
NOUNS: Final = frozenset(_words(_NOUNS)) | frozenset(
    word for role in (Role.NAME, Role.ID, Role.TYPE) for word in OTHER[role]
)
"""Common nouns that stand over columns and hardly in them."""


def worded_roles(titles: Sequence[str]) -> tuple[dict[int, Role], set[Role]]:
    """Columns whose words say a role, and the roles that a strong word says."""
    roles: dict[int, Role] = {}
    strong: set[Role] = set()
    for role in (Role.SUBJECT, Role.RELATION, Role.OBJECT):
        found = _first_of(STRONG[role], titles, roles)
        if found is not None:
            roles[found] = role
            strong.add(role)
    for role in (Role.SUBJECT, Role.RELATION, Role.OBJECT):
        if role not in strong and (found := _first_of(WEAK[role], titles, roles)) is not None:
            roles[found] = role
    return roles, strong


def _first_of(words: Iterable[str], titles: Sequence[str], taken: Mapping[int, Role]) -> int | None:
    for word in words:
        for position, title in enumerate(titles):
            if title == word and position not in taken:
                return position
    return None

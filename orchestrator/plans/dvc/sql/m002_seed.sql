-- The document seeds these in 009. They are here, so that the way back of the table takes them along.
INSERT INTO "case".status_definition (statuscode, statusname, statusdescription, statuscategory, statustype, displayorder, issystemstatus)
VALUES
    ('TIEP_NHAN', 'Tiếp nhận hồ sơ', 'Hồ sơ đã được tiếp nhận và đang chờ xử lý', 'PROCESSING', 'CASE', 10, true),
    ('DANG_XU_LY', 'Đang xử lý', 'Hồ sơ đang được xử lý', 'PROCESSING', 'CASE', 20, true),
    ('CHO_DUYET', 'Chờ duyệt', 'Hồ sơ đang chờ phê duyệt', 'APPROVAL', 'CASE', 30, true),
    ('HOAN_THANH', 'Hoàn thành', 'Hồ sơ đã được xử lý hoàn thành', 'COMPLETED', 'CASE', 40, true),
    ('HUY_BO', 'Hủy bỏ', 'Hồ sơ đã bị hủy bỏ', 'CANCELLED', 'CASE', 50, true)
ON CONFLICT DO NOTHING;

INSERT INTO "case".status_transition (fromstatusid, tostatusid, transitionname, transitiondescription, isautomatictransition)
SELECT
    f.statusid,
    t.statusid,
    'Từ ' || f.statusname || ' sang ' || t.statusname,
    'Chuyển trạng thái từ ' || f.statusname || ' sang ' || t.statusname,
    false
FROM "case".status_definition AS f
JOIN "case".status_definition AS t ON (f.statuscode, t.statuscode) IN (
    ('TIEP_NHAN', 'DANG_XU_LY'), ('DANG_XU_LY', 'CHO_DUYET'), ('CHO_DUYET', 'HOAN_THANH'),
    ('TIEP_NHAN', 'HUY_BO'), ('DANG_XU_LY', 'HUY_BO')
)
WHERE NOT EXISTS (
    SELECT FROM "case".status_transition AS x WHERE x.fromstatusid = f.statusid AND x.tostatusid = t.statusid
);

-- The document's rows. The names of the provinces were UTF-8 read as Mac Roman; here they are Thai again.

INSERT INTO public."ProjectRegions"
    ("RegionId", "RegionName", "RegionDisplayName", "Provinces", "Description", "IsActive")
VALUES
    ('11111111-1111-1111-1111-111111111111', 'northern', 'Northern Thailand', '["เชียงใหม่", "เชียงราย", "ลำปาง", "ลำพูน", "พะเยา", "แพร่", "น่าน"]', 'Northern region of Thailand', TRUE),
    ('22222222-2222-2222-2222-222222222222', 'western', 'Western Thailand', '["ตาก"]', 'Western region of Thailand', TRUE),
    ('33333333-3333-3333-3333-333333333333', 'central', 'Central Thailand', '["กรุงเทพมหานคร", "พิจิตร", "พิษณุโลก", "สุโขทัย", "อุตรดิตถ์"]', 'Central region including Bangkok', TRUE),
    ('44444444-4444-4444-4444-444444444444', 'unknown', 'Unknown Region', '[]', 'Default region for unidentified locations', TRUE)
ON CONFLICT DO NOTHING;

INSERT INTO public."WaterFacilityTypes"
    ("FacilityTypeId", "FacilityTypeName", "FacilityDisplayName", "Description", "Authority", "SignalRGroupName", "IsActive")
VALUES
    ('aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa', 'water_treatment', 'Water Treatment Plant', 'Water treatment facilities', 'Provincial Waterworks Authority', 'facility_water_treatment', TRUE),
    ('bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb', 'pumping_station', 'Water Pumping Station', 'Water pumping stations', 'Provincial Waterworks Authority', 'facility_pumping_station', TRUE),
    ('cccccccc-cccc-cccc-cccc-cccccccccccc', 'reservoir', 'Water Reservoir', 'Water storage facilities', 'Provincial Waterworks Authority', 'facility_reservoir', TRUE),
    ('dddddddd-dddd-dddd-dddd-dddddddddddd', 'distribution_center', 'Distribution Center', 'Water distribution centers', 'Metropolitan Waterworks Authority', 'facility_distribution', TRUE),
    ('eeeeeeee-eeee-eeee-eeee-eeeeeeeeeeee', 'solar_installation', 'Solar Installation Site', 'Solar panel installation sites', 'Solar Project Management', 'facility_solar_installation', TRUE)
ON CONFLICT DO NOTHING;

INSERT INTO public."SignalRGroups"
    ("GroupId", "GroupName", "GroupType", "Description", "IsActive")
VALUES
    ('f1111111-1111-1111-1111-111111111111', 'all_users', 'global', 'Global system announcements', TRUE),
    ('f2222222-2222-2222-2222-222222222222', 'role_admin', 'role', 'Administrative users', TRUE),
    ('f3333333-3333-3333-3333-333333333333', 'role_manager', 'role', 'Project managers', TRUE),
    ('f4444444-4444-4444-4444-444444444444', 'region_northern', 'region', 'Northern Thailand updates', TRUE),
    ('f5555555-5555-5555-5555-555555555555', 'region_western', 'region', 'Western Thailand updates', TRUE),
    ('f6666666-6666-6666-6666-666666666666', 'region_central', 'region', 'Central Thailand updates', TRUE),
    ('f7777777-7777-7777-7777-777777777777', 'facility_water_treatment', 'facility', 'Water treatment updates', TRUE),
    ('f8888888-8888-8888-8888-888888888888', 'facility_solar_installation', 'facility', 'Solar installation updates', TRUE),
    ('f9999999-9999-9999-9999-999999999999', 'map_viewers', 'special', 'Real-time map updates', TRUE)
ON CONFLICT DO NOTHING;
